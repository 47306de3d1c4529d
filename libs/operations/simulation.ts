import {
  attemptKey,
  currentStep,
  isExhausted,
  type OperationBeginning,
  type OperationRun,
  openRun,
  type SimulatedClock,
  type StepOutcome,
  withFailure,
  withOutput,
} from "#kernel";
import type { Effect, Effects } from "./effect.ts";
import { type JournalEntry, OperationJournal } from "./journal.ts";

/** What stands in the simulated log. `writer` is the process that appended it. */
export type LogEntry = { readonly subjectId: string; readonly writer: string } & (
  | { readonly kind: "planned"; readonly operations: readonly OperationBeginning[] }
  | { readonly kind: "cancelled" }
  | { readonly kind: "outcome"; readonly attemptKey: string; readonly outcome: StepOutcome }
);

/** One subject as the fold of the log: its operations are done one after the other. */
interface Subject {
  readonly run: OperationRun | undefined;
  readonly cancelled: boolean;
  readonly planned: readonly OperationBeginning[];
  readonly ended: readonly { readonly id: string; readonly how: string }[];
}

const NEW_SUBJECT: Subject = { run: undefined, cancelled: false, planned: [], ended: [] };

/** A process that may die between any two instructions: from then on nothing of it ever happens. */
export class SimulatedProcess {
  readonly name: string;
  #pointsLeft: number;
  points = 0;

  constructor(name: string, pointsToLive = Number.POSITIVE_INFINITY) {
    this.name = name;
    this.#pointsLeft = pointsToLive;
  }

  get isAlive(): boolean {
    return this.#pointsLeft > 0;
  }

  kill(): void {
    this.#pointsLeft = 0;
  }

  /** A point at which the process may die. Resolves if it does not. */
  point(): Promise<void> {
    this.points += 1;
    this.#pointsLeft -= 1;
    return this.isAlive ? Promise.resolve() : new Promise(() => {});
  }
}

/** Trouble on the way, each as a probability, from one random source. */
export interface Trouble {
  readonly random: () => number;
  /** The append never happens, and the writer is told so. */
  readonly failedAppends?: number;
  /** The append happens, and the writer is told that it did not. */
  readonly lostAcks?: number;
  readonly maxDelayMs?: number;
}

/** One process's view of the shared log. It writes only at the place where it believes the log to end (I1). */
export class SimulatedJournal extends OperationJournal {
  readonly #log: LogEntry[];
  readonly #process: SimulatedProcess;
  readonly #clock: SimulatedClock;
  readonly #trouble: Trouble;
  readonly #subjects = new Map<string, Subject>();
  #position = 0;

  constructor(log: LogEntry[], process: SimulatedProcess, clock: SimulatedClock, trouble: Trouble) {
    super();
    this.#log = log;
    this.#process = process;
    this.#clock = clock;
    this.#trouble = trouble;
    for (const entry of log) this.#take(entry);
  }

  override run(subjectId: string): JournalEntry | undefined {
    const subject = this.subject(subjectId);
    return subject.run && { run: subject.run, cancelled: subject.cancelled };
  }

  override async record(
    subjectId: string,
    _operationId: string,
    outcome: StepOutcome,
    key: string,
  ): Promise<void> {
    await this.#process.point();
    const { random, maxDelayMs = 0, failedAppends = 0, lostAcks = 0 } = this.#trouble;
    await this.#clock.sleep(Math.floor(random() * maxDelayMs));
    await this.#process.point();
    const { run } = this.subject(subjectId);
    if (run === undefined || attemptKey(run) !== key) return;
    if (random() < failedAppends) throw new Error("the log did not answer");
    this.append({ subjectId, writer: this.#process.name, kind: "outcome", attemptKey: key, outcome });
    await this.#process.point();
    if (random() < lostAcks) throw new Error("the ack was lost");
  }

  /** Throws when somebody else wrote since this journal read. */
  append(entry: LogEntry): void {
    if (this.#position !== this.#log.length) throw new Error(`${this.#process.name} is fenced`);
    this.#log.push(entry);
    this.#take(entry);
  }

  subject(subjectId: string): Subject {
    return this.#subjects.get(subjectId) ?? NEW_SUBJECT;
  }

  #take(entry: LogEntry): void {
    this.#position += 1;
    this.#subjects.set(entry.subjectId, begun(evolve(this.subject(entry.subjectId), entry)));
  }
}

function evolve(subject: Subject, entry: LogEntry): Subject {
  const { run } = subject;
  if (entry.kind === "planned") return { ...subject, planned: [...subject.planned, ...entry.operations] };
  if (entry.kind === "cancelled") return run === undefined ? subject : { ...subject, cancelled: true };
  if (run === undefined) return subject;
  const { outcome } = entry;
  if (outcome.kind === "completed") {
    const after = withOutput(run, outcome.output, 0);
    return currentStep(after) === undefined ? ended(subject, run, "completed") : { ...subject, run: after };
  }
  const after = withFailure(
    run,
    outcome.error,
    0,
    outcome.kind === "retry" ? outcome.retryAfterMs : undefined,
  );
  const isOver = outcome.kind === "terminal" || isExhausted(after);
  return isOver ? ended(subject, run, outcome.error.code) : { ...subject, run: after };
}

function ended(subject: Subject, run: OperationRun, how: string): Subject {
  return { ...subject, run: undefined, cancelled: false, ended: [...subject.ended, { id: run.id, how }] };
}

function begun(subject: Subject): Subject {
  const [next, ...planned] = subject.planned;
  if (subject.run !== undefined || next === undefined) return subject;
  return { ...subject, run: openRun(next), planned };
}

/** The world that effects change. Each effect is idempotent by its key, and only by its key. */
export class SimulatedWorld {
  /** Keys in the order in which their effects first happened. */
  readonly done = new Set<string>();
  /** Effects that were begun: who, which, and how much of the log stood at that time. */
  readonly begun: { readonly by: string; readonly key: string; readonly logLength: number }[] = [];
  readonly #log: readonly LogEntry[];
  readonly #clock: SimulatedClock;
  readonly #trouble: Trouble & { readonly failures?: number };
  readonly #failuresLeft = new Map<string, number>();

  constructor(
    log: readonly LogEntry[],
    clock: SimulatedClock,
    trouble: Trouble & { readonly failures?: number },
  ) {
    this.#log = log;
    this.#clock = clock;
    this.#trouble = trouble;
  }

  /** The effects of one process. Each fails a few times, before or after it changed the world. */
  effects(process: SimulatedProcess, names: readonly string[]): Effects {
    const busy = new Set<string>();
    const effect: Effect = async ({ subjectId, key, run, outputs, signal }) => {
      if (busy.has(subjectId)) throw new Error(`two effects at once on ${subjectId}`);
      if (Object.keys(outputs).length !== run.outputs.length) throw new Error("outputs are missing");
      busy.add(subjectId);
      try {
        await process.point();
        this.begun.push({ by: process.name, key, logLength: this.#log.length });
        const { random, maxDelayMs = 0 } = this.#trouble;
        await this.#clock.sleep(Math.floor(random() * maxDelayMs), signal);
        const fails = this.#fails(key);
        if (fails === "before") throw new Error("nothing happened");
        await process.point();
        this.done.add(key);
        await process.point();
        if (fails === "after") throw new Error("it happened, and the answer was lost");
        return { key };
      } finally {
        busy.delete(subjectId);
      }
    };
    return Object.fromEntries(names.map((name) => [name, effect]));
  }

  #fails(key: string): "before" | "after" | undefined {
    const { random, failures = 0 } = this.#trouble;
    const left = this.#failuresLeft.get(key) ?? Math.floor(random() * (failures + 1));
    this.#failuresLeft.set(key, left - 1);
    if (left <= 0) return undefined;
    return left % 2 === 0 ? "before" : "after";
  }
}
