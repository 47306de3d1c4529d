import {
  type HostLogEvent,
  LOAD_LEASE_TTL_MS,
  type LoadLease,
  loadLeaseSchema,
  type MachineConfig,
  type RecordedEvent,
  servicesOf,
} from "#contracts";
import type { Clock } from "#kernel";
import type { Machine } from "#machines";
import { type IdlePolicy, idlePolicyOf } from "#routing";
import type { Decisions } from "../decisions.ts";
import type { LoadLeases } from "./load-leases.ts";

/** What autostop asks of the log, and decides there. */
export type StoppingDecisions = Pick<Decisions, "machine" | "host" | "ownOf">;

/**
 * Stops machines that nobody wants. It looks when a router speaks, and at no other time: a host that hears no router
 * stops nothing. What makes a stop safe is that routers close a machine before they call it idle (`loadLeaseSchema`).
 */
export class Autostop {
  readonly #decisions: StoppingDecisions;
  readonly #leases: LoadLeases;
  readonly #clock: Clock;
  readonly #onTrouble: (thrown: unknown) => void;
  readonly #isOccupied: (machineId: string) => boolean;
  /** Monotonic milliseconds of each machine's last start or wake. */
  readonly #wantedAtMs = new Map<string, number>();
  /** Nothing is known of before. */
  readonly #beganAtMs: number;

  /** `isOccupied`: somebody is at work in the machine, whatever routers say. */
  constructor(
    decisions: StoppingDecisions,
    leases: LoadLeases,
    clock: Clock,
    onTrouble: (thrown: unknown) => void,
    isOccupied: (machineId: string) => boolean = () => false,
  ) {
    this.#decisions = decisions;
    this.#leases = leases;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
    this.#isOccupied = isOccupied;
    this.#beganAtMs = clock.monotonicMs();
  }

  /** After each event of the log: whoever starts a machine wants it. */
  onEvent(event: RecordedEvent<HostLogEvent>): void {
    if (event.type === "MachineStarted") {
      this.#wantedAtMs.set(event.data.machineId, this.#clock.monotonicMs());
    } else if (event.type === "MachineDestroyed" || event.type === "MachineReleased") {
      this.#wantedAtMs.delete(event.data.machineId);
    }
  }

  /** A router is about to use the machine. */
  want(machineId: string, routerId: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#decisions.machine(machineId) !== undefined) this.#wantedAtMs.set(machineId, nowMs);
    this.#leases.want(machineId, routerId, nowMs);
  }

  /** A router's lease, as it came from the bus. What is none is nobody's word. */
  onLease(message: Uint8Array): void {
    const lease = leaseIn(message);
    if (lease === undefined) return;
    this.#leases.note(lease, (id) => this.#decisions.machine(id) !== undefined, this.#clock.monotonicMs());
    for (const machineId of lease.idle) this.#stopIfIdle(this.#decisions.machine(machineId));
  }

  #stopIfIdle(machine: Machine | undefined): void {
    if (machine?.state !== "started" || machine.queued !== undefined) return;
    const policy = policyOf(machine.config);
    const nowMs = this.#clock.monotonicMs();
    const restedMs = nowMs - (this.#wantedAtMs.get(machine.id) ?? this.#beganAtMs);
    // No less than a lease lives: what was said of the machine before it was wanted has arrived by then.
    const isRested = restedMs >= Math.max(policy.autostopAfterMs, LOAD_LEASE_TTL_MS);
    if (this.#isOccupied(machine.id)) return;
    if (policy.autostop === "off" || !isRested || !this.#leases.isIdle(machine.id, nowMs)) return;
    const suspends = policy.autostop === "suspend" && this.#decisions.host.features.includes("suspend");
    const type = suspends ? "SuspendMachine" : "StopMachine";
    this.#decisions.ownOf(machine.id, { type, origin: "autostop" }).catch(this.#onTrouble);
  }
}

function leaseIn(message: Uint8Array): LoadLease | undefined {
  try {
    return loadLeaseSchema.parse(JSON.parse(Buffer.from(message).toString()));
  } catch {
    return undefined;
  }
}

const policies = new WeakMap<MachineConfig, IdlePolicy>();

function policyOf(config: MachineConfig): IdlePolicy {
  const known = policies.get(config);
  if (known !== undefined) return known;
  const policy = idlePolicyOf(servicesOf(config));
  policies.set(config, policy);
  return policy;
}
