import { type ArrivedEvent, type ControlEntry, followHub } from "#event-log";
import type { Clock } from "#kernel";
import { RoundBuilder } from "./builder.ts";
import { IndexFile } from "./index-file.ts";
import { BuilderLock } from "./lock.ts";
import type { Rounds } from "./rounds.ts";
import type { OnProgress } from "./rounds-timeline.ts";

type Connection = Parameters<typeof followHub>[0];

/** Arrivals in memory that wait for a round to be written. */
const MOST_WAITING = 5_000;
const PAUSE_MS = 1_000;

/** Makes rounds up to the present, where that is far and nobody else does. */
export async function buildOnce(rounds: Rounds, onProgress: OnProgress): Promise<void> {
  const { file } = rounds;
  if (file === undefined) return;
  const { index, ends } = await rounds.now();
  const behind = ends.fleet + ends.control - (index.last?.fleet ?? 0) - (index.last?.control ?? 0);
  // Less is quicker read than written.
  if (behind < 2 * rounds.roundEvents) return;
  const lock = await BuilderLock.take(file.directory);
  if (lock === undefined) return;
  try {
    const now = await rounds.now();
    const own = new IndexFile(file.directory);
    await (await RoundBuilder.open(rounds, own, now)).catchUp(now, onProgress);
  } finally {
    await lock.release();
  }
}

/** Makes rounds as events arrive, through losses of the hub and of its streams, until `signal` fires. Never rejects. */
export async function buildOn(
  nc: Connection,
  clock: Clock,
  rounds: Rounds,
  onTrouble: (trouble: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const { file } = rounds;
  if (file === undefined) return;
  while (!signal.aborted && !nc.isClosed()) {
    try {
      const lock = await BuilderLock.take(file.directory);
      if (lock === undefined) {
        await BuilderLock.free(file.directory, signal);
        continue;
      }
      await new BuildingSession(nc, clock, rounds, new IndexFile(file.directory))
        .run(signal)
        .finally(() => lock.release());
    } catch (trouble) {
      if (signal.aborted || nc.isClosed()) return;
      onTrouble(trouble);
      await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
  }
}

/** From one replacement of the hub's streams to the next. */
class BuildingSession {
  readonly #nc: Connection;
  readonly #clock: Clock;
  readonly #rounds: Rounds;
  /** Its own: questions read the list beside it, and begin anew where the hub's streams were replaced. */
  readonly #file: IndexFile;
  readonly #over = new AbortController();
  #arrived: ArrivedEvent[] = [];
  #control: ControlEntry[] = [];
  #taking: Promise<void> | undefined;
  #failure: unknown;

  constructor(nc: Connection, clock: Clock, rounds: Rounds, file: IndexFile) {
    this.#nc = nc;
    this.#clock = clock;
    this.#rounds = rounds;
    this.#file = file;
  }

  async run(signal: AbortSignal): Promise<void> {
    const now = await this.#rounds.now();
    const builder = await RoundBuilder.open(this.#rounds, this.#file, now);
    await builder.catchUp(now, () => undefined, signal);
    if (signal.aborted) return;
    const end = AbortSignal.any([signal, this.#over.signal]);
    const from = { fleet: builder.fleet, control: builder.control };
    const stopListening = this.#rounds.onDamaged(() => this.#over.abort());
    await followHub(
      this.#nc,
      this.#clock,
      from,
      {
        arrived: (event) => {
          this.#arrived.push(event);
          this.#take(builder);
        },
        control: (entry) => {
          this.#control.push(entry);
          this.#take(builder);
        },
        replaced: () => this.#over.abort(),
        lost: () => undefined,
        room: () => (this.#arrived.length + this.#control.length < MOST_WAITING ? undefined : this.#taking),
      },
      end,
    ).finally(stopListening);
    await this.#taking;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Takes what waits, and what comes meanwhile. */
  #take(builder: RoundBuilder): void {
    this.#taking ??= this.#takeAll(builder)
      .catch((failure: unknown) => {
        this.#failure = failure;
        this.#over.abort();
      })
      .finally(() => {
        this.#taking = undefined;
      });
  }

  async #takeAll(builder: RoundBuilder): Promise<void> {
    await undefined;
    while (this.#arrived.length + this.#control.length > 0) {
      const [arrived, control] = [this.#arrived, this.#control];
      this.#arrived = [];
      this.#control = [];
      await builder.takeControl(control);
      await builder.takeArrived(arrived);
    }
  }
}
