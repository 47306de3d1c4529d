import type { BusClient } from "#bus";
import { type CallMeta, hostCalls, subjects } from "#contracts";
import type { HostPulse } from "#event-log";
import { type Clock, RefusedError } from "#kernel";
import type { Machine } from "#machines";

export type ContactStatus = "ok" | "unknown" | "unreachable";

/** How long a host may take to say that it is there. */
const KNOCK_MS = 1_000;
/** An agent says every second that it is there. */
const SILENT_AFTER_MS = 5_000;

/** Whether hosts are there: by what they say themselves, or when they are asked. */
export class HostContact {
  readonly #bus: BusClient;
  readonly #pulse: HostPulse;
  readonly #clock: Clock;
  /** When a host was asked last, on the monotonic clock, and whether it answered. */
  readonly #asked = new Map<string, { readonly atMs: number; readonly answered: boolean }>();

  constructor(bus: BusClient, pulse: HostPulse, clock: Clock) {
    this.#bus = bus;
    this.#pulse = pulse;
    this.#clock = clock;
  }

  statusOf(hostId: string): ContactStatus {
    const silenceMs = this.#pulse.silenceMs(hostId);
    const asked = this.#asked.get(hostId);
    const askedAgoMs =
      asked === undefined ? Number.POSITIVE_INFINITY : this.#clock.monotonicMs() - asked.atMs;
    if (asked !== undefined && askedAgoMs < Math.min(silenceMs ?? SILENT_AFTER_MS, SILENT_AFTER_MS)) {
      return asked.answered ? "ok" : "unreachable";
    }
    if ((silenceMs ?? this.#pulse.listeningMs) > SILENT_AFTER_MS) return "unreachable";
    return silenceMs === undefined ? "unknown" : "ok";
  }

  /** When the host was heard last, in epoch milliseconds; undefined when it never was. */
  heardAtMs(hostId: string): number | undefined {
    const asked = this.#asked.get(hostId);
    const sinceAnswerMs =
      asked?.answered === true ? this.#clock.monotonicMs() - asked.atMs : Number.POSITIVE_INFINITY;
    const silenceMs = Math.min(sinceAnswerMs, this.#pulse.silenceMs(hostId) ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(silenceMs) ? Math.round(this.#clock.nowMs() - silenceMs) : undefined;
  }

  /** As its agent said last; undefined when it never did. */
  agentVersionOf(hostId: string): string | undefined {
    return this.#pulse.agentVersionOf(hostId);
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
    this.#asked.set(hostId, { atMs: this.#clock.monotonicMs(), answered: !silent });
    if (result.kind === "answer") return result.answer.machine as unknown as Machine;
    if (result.refusal.code === "not_found") return undefined;
    throw new RefusedError(result.refusal);
  }
}
