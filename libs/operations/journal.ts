import type { OperationRun, StepOutcome } from "#kernel";

/** What the journal knows of the operation that a subject (a machine, a host…) is in the middle of. */
export interface JournalEntry {
  readonly run: OperationRun;
  /** Whether it is to be given up: the outcome of its current step is then `cancelled`, and final. */
  readonly cancelled: boolean;
}

/**
 * Where operations are written down, as the runner sees it. The journal's owner decides what an outcome means; the
 * runner only performs effects and reports what became of them (I2).
 */
export abstract class OperationJournal {
  /** The unfinished operation of a subject; undefined when there is none. It includes all that `record` wrote. */
  abstract run(subjectId: string): JournalEntry | undefined;

  /**
   * Resolves once the outcome of one attempt is durable, or was recorded before: `attemptKey` (the kernel's) names
   * the attempt. Throws when it cannot be written: the run then stops where it is, and nothing else happens to it.
   */
  abstract record(
    subjectId: string,
    operationId: string,
    outcome: StepOutcome,
    attemptKey: string,
  ): Promise<void>;
}
