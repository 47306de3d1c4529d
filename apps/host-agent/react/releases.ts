import { routerReleaseSchema } from "#contracts";
import { type Clock, Deadline } from "#kernel";

/** Requests under way to a machine get this long to end before its process is asked to. */
const PATIENCE_MS = 2_000;
/** Runs of which routers said something, and nobody has asked yet. */
const MOST_RUNS = 10_000;

/**
 * Which runs of machines routers have let go of (`routerReleaseSchema`): a process is asked to end when no request is under
 * way to it. Nothing depends on that: who says nothing in time is not waited for.
 */
export class Releases {
  readonly #routers: () => readonly string[];
  readonly #clock: Clock;
  /** Routers that have let go of a run, by its start's id, the latest last. */
  readonly #released = new Map<string, Set<string>>();
  #nextWord = Promise.withResolvers<void>();

  /** `routers`: those that are there at this moment. */
  constructor(routers: () => readonly string[], clock: Clock) {
    this.#routers = routers;
    this.#clock = clock;
  }

  /** A router's word, as it came from the bus. What is none is nobody's. */
  note(message: Uint8Array): void {
    const said = wordIn(message);
    if (said === undefined) return;
    for (const { startId } of said.released) {
      const routers = this.#released.get(startId) ?? new Set();
      this.#released.set(startId, routers.add(said.routerId));
    }
    for (const startId of this.#released.keys()) {
      if (this.#released.size <= MOST_RUNS) break;
      this.#released.delete(startId);
    }
    this.#nextWord.resolve();
    this.#nextWord = Promise.withResolvers();
  }

  /** Resolves when every router that is there has let go of the run, at the latest when patience ends or `signal` fires. */
  async released(startId: string, signal: AbortSignal): Promise<void> {
    const deadline = new Deadline(this.#clock, PATIENCE_MS);
    while (!this.#isReleased(startId) && !deadline.passed() && !signal.aborted) {
      const heard = new AbortController();
      const late = this.#clock.sleep(deadline.remainingMs(), AbortSignal.any([signal, heard.signal]));
      await Promise.race([this.#nextWord.promise, late.catch(() => undefined)]);
      heard.abort();
    }
    this.#released.delete(startId);
  }

  #isReleased(startId: string): boolean {
    const released = this.#released.get(startId);
    return this.#routers().every((routerId) => released?.has(routerId) === true);
  }
}

function wordIn(message: Uint8Array) {
  try {
    return routerReleaseSchema.safeParse(JSON.parse(Buffer.from(message).toString())).data;
  } catch {
    return undefined;
  }
}
