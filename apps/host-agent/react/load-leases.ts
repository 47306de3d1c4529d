import { LOAD_LEASE_TTL_MS, type LoadLease } from "#contracts";

/** A router that fell silent without a last word keeps everything up for this long. */
export const LOST_FOR_MS = 600_000;
const MAX_ROUTERS = 256;

/** The last that was heard of one router. */
interface Heard {
  incarnation: string;
  /** Machines that it has closed. */
  idle: Set<string>;
  atMs: number;
}

/**
 * What routers said last of this host's machines, and what follows from it. All times are monotonic milliseconds (F20).
 * Wherever it does not know, the answer is that somebody may be using the machine.
 */
export class LoadLeases {
  readonly #routers = new Map<string, Heard>();
  readonly #onRouters: (routerIds: readonly string[]) => void;
  /** When anything was heard last. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  /** Until then more may have been said than was heard. */
  #settlesAtMs = Number.POSITIVE_INFINITY;
  /** When there were more routers than are kept. */
  #overfullAtMs = Number.NEGATIVE_INFINITY;

  /**
   * `known`: routers that an earlier life of the agent had heard of: each may be cut off, and in use of anything, until
   * it says otherwise. `onRouters` hears of them whenever there is one more or less.
   */
  constructor(known: readonly string[], nowMs: number, onRouters: (routerIds: readonly string[]) => void) {
    for (const routerId of known) this.#routers.set(routerId, newlyHeard(nowMs));
    this.#onRouters = onRouters;
  }

  /** Takes in a lease. `isHere`: whether a machine is one of this host. */
  note(lease: LoadLease, isHere: (machineId: string) => boolean, nowMs: number): void {
    const { routerId, incarnation, idle, isLast } = lease;
    const heard = this.#hear(routerId, nowMs);
    // A word of an earlier life that was long on its way.
    if (heard === undefined || incarnation < heard.incarnation) return;
    if (isLast === true) this.#forget(routerId);
    else Object.assign(heard, { incarnation, idle: new Set(idle.filter(isHere)), atMs: nowMs });
  }

  /** A router wants the machine: whatever was said of it before is over, also by routers that were never heard of. */
  want(machineId: string, routerId: string, nowMs: number): void {
    this.#hear(routerId, nowMs);
    for (const { idle } of this.#routers.values()) idle.delete(machineId);
  }

  /** Routers that were heard lately, and so will say what they know. */
  present(nowMs: number): string[] {
    const isHere = ({ incarnation, atMs }: Heard) => incarnation !== "" && nowMs - atMs <= LOAD_LEASE_TTL_MS;
    return [...this.#routers].flatMap(([routerId, heard]) => (isHere(heard) ? routerId : []));
  }

  /** Whether it is certain that no router can have a request under way to the machine. */
  isIdle(machineId: string, nowMs: number): boolean {
    if (nowMs < this.#settlesAtMs || nowMs - this.#overfullAtMs < LOST_FOR_MS) return false;
    for (const [routerId, { idle, atMs }] of this.#routers) {
      const silentMs = nowMs - atMs;
      if (silentMs >= LOST_FOR_MS) this.#forget(routerId);
      else if (silentMs > LOAD_LEASE_TTL_MS || !idle.has(machineId)) return false;
    }
    return this.#routers.size > 0;
  }

  #hear(routerId: string, nowMs: number): Heard | undefined {
    // After a silence of all, ours or theirs, what comes first may be old, with wakes still behind it.
    if (nowMs - this.#heardAtMs > LOAD_LEASE_TTL_MS) this.#settlesAtMs = nowMs + LOAD_LEASE_TTL_MS;
    this.#heardAtMs = nowMs;
    const known = this.#routers.get(routerId);
    if (known !== undefined) return known;
    if (this.#routers.size >= MAX_ROUTERS) {
      this.#overfullAtMs = nowMs;
      return undefined;
    }
    const heard = newlyHeard(nowMs);
    this.#routers.set(routerId, heard);
    this.#onRouters([...this.#routers.keys()]);
    return heard;
  }

  #forget(routerId: string): void {
    this.#routers.delete(routerId);
    this.#onRouters([...this.#routers.keys()]);
  }
}

function newlyHeard(atMs: number): Heard {
  return { incarnation: "", idle: new Set(), atMs };
}
