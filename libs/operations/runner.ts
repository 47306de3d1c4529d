import {
  attemptKey,
  type Clock,
  currentStep,
  delayBeforeAttemptMs,
  type StepError,
  type StepOutcome,
  type StepOutput,
  stepKey,
} from "#kernel";
import { Attempt, CANCELLED } from "./attempt.ts";
import type { Effects } from "./effect.ts";
import type { JournalEntry, OperationJournal } from "./journal.ts";
import { describeWaiting, type Waiting } from "./waiting.ts";

export type { Waiting } from "./waiting.ts";

/** One operation being worked on. */
interface Flight {
  readonly operationId: string;
  attempt?: Attempt;
  done: Promise<void>;
}

/** Why a run stopped short of its end: nothing was recorded, and `wake` takes it up again. */
class Halt extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Drives operations to their end: one step at a time, each outcome recorded before the next step begins (I2). It keeps
 * nothing that the journal does not know, so that another runner can go on where this one died.
 */
export class OperationRunner {
  readonly #journal: OperationJournal;
  readonly #effects: Effects;
  readonly #clock: Clock;
  readonly #onHalt: (subjectId: string, error: StepError) => void;
  readonly #flights = new Map<string, Flight>();
  readonly #halted = new Map<string, StepError>();
  /** Effects that did not end when they were told to. */
  readonly #lingering = new Map<string, Promise<unknown>>();
  #stopped = false;

  /** `onHalt` hears of each run that stops because its outcome could not be recorded. */
  constructor(
    journal: OperationJournal,
    effects: Effects,
    clock: Clock,
    onHalt: (subjectId: string, error: StepError) => void = () => {},
  ) {
    this.#journal = journal;
    this.#effects = effects;
    this.#clock = clock;
    this.#onHalt = onHalt;
  }

  /** Looks at a subject again: begins or resumes its operation, or gives it up if it was cancelled meanwhile. */
  wake(subjectId: string): void {
    if (this.#stopped) return;
    const flight = this.#flights.get(subjectId);
    if (flight === undefined) {
      this.#launch(subjectId);
      return;
    }
    const entry = this.#journal.run(subjectId);
    if (entry?.run.id === flight.operationId && this.#isGivenUp(entry)) flight.attempt?.giveUp(CANCELLED);
  }

  /** Wakes all these subjects: after a start, or when the journal can be written again. */
  resumeAll(subjectIds: Iterable<string>): void {
    for (const subjectId of subjectIds) this.wake(subjectId);
  }

  /** Ends all work without recording anything more. Resolves when nothing is at work, or ignores being told. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const flights = [...this.#flights.values()];
    for (const flight of flights) flight.attempt?.giveUp(undefined);
    await Promise.all(flights.map((flight) => flight.done));
  }

  /** What each unfinished operation waits for, and since when (I9). */
  waiting(): Waiting[] {
    const unfinished = [...this.#flights.keys(), ...this.#halted.keys()].flatMap((subjectId) => {
      const run = this.#journal.run(subjectId)?.run;
      const halt = this.#halted.get(subjectId);
      return run === undefined ? [] : [{ subjectId, run, ...(halt === undefined ? {} : { halt }) }];
    });
    return describeWaiting(unfinished);
  }

  #launch(subjectId: string): void {
    this.#halted.delete(subjectId);
    const entry = this.#journal.run(subjectId);
    if (entry === undefined || currentStep(entry.run) === undefined || this.#stopped) return;
    const flight: Flight = { operationId: entry.run.id, done: Promise.resolve() };
    this.#flights.set(subjectId, flight);
    flight.done = this.#fly(subjectId, flight);
  }

  async #fly(subjectId: string, flight: Flight): Promise<void> {
    try {
      await this.#drive(subjectId, flight);
    } catch (thrown) {
      this.#halt(subjectId, thrown);
    } finally {
      this.#flights.delete(subjectId);
    }
    if (!this.#halted.has(subjectId)) this.#launch(subjectId);
  }

  async #drive(subjectId: string, flight: Flight): Promise<void> {
    for (let recorded: string | undefined; ; ) {
      const entry = this.#journal.run(subjectId);
      if (entry?.run.id !== flight.operationId || currentStep(entry.run) === undefined) return;
      const key = attemptKey(entry.run);
      if (key === recorded) throw new Halt("effect_failed", `recording attempt ${key} changed nothing`);
      const outcome = await this.#outcomeOf(subjectId, flight, entry);
      if (outcome === CANCELLED) await this.#giveUpChildren(flight.operationId);
      if (outcome === undefined || this.#stopped) return;
      await this.#journal.record(subjectId, flight.operationId, outcome, key);
      recorded = key;
    }
  }

  async #outcomeOf(subjectId: string, flight: Flight, entry: JournalEntry): Promise<StepOutcome | undefined> {
    const { run } = entry;
    if (this.#isGivenUp(entry)) return CANCELLED;
    const step = currentStep(run)!;
    const effect = this.#effects[step.name];
    // A step that this version does not know is never skipped: a version that does will resume the run.
    if (effect === undefined) throw new Halt("unsupported", `no effect is known for step ${step.name}`);
    const attempt = new Attempt(this.#clock);
    flight.attempt = attempt;
    const outputs = Object.fromEntries(
      run.outputs.map((output, index): [string, StepOutput] => [run.steps[index]!.name, output]),
    );
    const outcome = await attempt.run({
      effect,
      context: { subjectId, run, step, key: stepKey(run), outputs },
      delayMs: delayBeforeAttemptMs(run),
      earlier: this.#lingering.get(subjectId),
    });
    delete flight.attempt;
    this.#remember(subjectId, attempt.ended);
    return outcome;
  }

  #remember(subjectId: string, ended: Promise<unknown> | undefined): void {
    if (ended === undefined) return;
    this.#lingering.set(subjectId, ended);
    ended.then(() => {
      if (this.#lingering.get(subjectId) === ended) this.#lingering.delete(subjectId);
    });
  }

  /** Cancelling flows down. A step whose owner answered a cancellation with "still owed" is worked on like any other. */
  #isGivenUp(entry: JournalEntry): boolean {
    if (entry.run.lastError?.code === "cancelled") return false;
    return entry.cancelled || this.#parentOf(entry)?.cancelled === true;
  }

  #parentOf({ run }: JournalEntry): JournalEntry | undefined {
    if (run.parentId === undefined) return undefined;
    for (const [subjectId, flight] of this.#flights) {
      if (flight.operationId === run.parentId) return this.#journal.run(subjectId);
    }
    return undefined;
  }

  /** Children first: once the parent's end is written, nobody would know that they were to be given up. */
  async #giveUpChildren(parentId: string): Promise<void> {
    const children = [...this.#flights].filter(
      ([subjectId]) => this.#journal.run(subjectId)?.run.parentId === parentId,
    );
    for (const [subjectId] of children) this.wake(subjectId);
    await Promise.all(children.map(([, flight]) => flight.done));
    const left = children.find(([id, flight]) => this.#journal.run(id)?.run.id === flight.operationId);
    if (left !== undefined) throw new Halt("busy", `operation ${left[1].operationId} is not given up yet`);
  }

  #halt(subjectId: string, thrown: unknown): void {
    const code = thrown instanceof Halt ? thrown.code : "not_recorded";
    const error = { code, message: thrown instanceof Error ? thrown.message : String(thrown) };
    this.#halted.set(subjectId, error);
    this.#onHalt(subjectId, error);
  }
}
