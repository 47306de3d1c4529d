import type { BusClient } from "#bus";
import { type CallMeta, hostCalls, subjects } from "#contracts";
import { RefusedError } from "#kernel";
import type { Machine } from "#machines";

export type ContactStatus = "ok" | "unknown" | "unreachable";

/** How long a host may take to say that it is there. */
const KNOCK_MS = 1_000;

/** Asks hosts directly, and remembers which of them answered last time. */
export class HostContact {
  readonly #bus: BusClient;
  readonly #status = new Map<string, ContactStatus>();

  constructor(bus: BusClient) {
    this.#bus = bus;
  }

  statusOf(hostId: string): ContactStatus {
    return this.#status.get(hostId) ?? "unknown";
  }

  /** Something was heard from the host. */
  heard(hostId: string): void {
    this.#status.set(hostId, "ok");
  }

  /** Finds out whether the host is there; a host that does not know the machine is, all the same. */
  async knock(hostId: string, meta: CallMeta): Promise<void> {
    await this.machine(hostId, "none", meta).catch(() => undefined);
  }

  /** The machine as its host folds it; undefined when the host does not have it. Throws a refusal when it is silent. */
  async machine(hostId: string, machineId: string, meta: CallMeta): Promise<Machine | undefined> {
    const subject = subjects.hostCommand(hostId, "get");
    const bounded = { ...meta, deadlineMs: Math.min(meta.deadlineMs, KNOCK_MS) };
    const result = await this.#bus.call(hostCalls.get, subject, { machineId }, bounded);
    const silent =
      result.kind === "refused" && ["unreachable", "deadline_exceeded"].includes(result.refusal.code);
    this.#status.set(hostId, silent ? "unreachable" : "ok");
    if (result.kind === "answer") return result.answer.machine as unknown as Machine;
    if (result.refusal.code === "not_found") return undefined;
    throw new RefusedError(result.refusal);
  }
}
