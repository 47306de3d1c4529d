import { type OperationRun, RefusedError, type StepOutcome } from "#kernel";
import { isCancelled } from "#machines";
import { type JournalEntry, OperationJournal } from "#operations";
import type { Decisions } from "../decisions.ts";

/** The operations of a host's machines, volumes and snapshots as its log has them; outcomes go there through the decider. */
export class HostJournal extends OperationJournal {
  readonly #decisions: Decisions;

  constructor(decisions: Decisions) {
    super();
    this.#decisions = decisions;
  }

  override run(subjectId: string): JournalEntry | undefined {
    const machine = this.#decisions.machine(subjectId);
    const run = this.#runOf(subjectId);
    return run && { run, cancelled: machine !== undefined && isCancelled(machine) };
  }

  override async record(
    subjectId: string,
    operationId: string,
    outcome: StepOutcome,
    attemptKey: string,
  ): Promise<void> {
    const run = this.#runOf(subjectId);
    const correlationId = (run?.id === operationId ? run.correlationId : undefined) ?? operationId;
    const cause = { causationId: operationId, correlationId };
    const report = { operationId, outcome, attemptKey };
    const recorded = await this.#decisions.recordStep(subjectId, report, cause);
    if (recorded.kind === "refused") throw new RefusedError(recorded.refusal);
  }

  #runOf(subjectId: string): OperationRun | undefined {
    const { machines, volumes, snapshots } = this.#decisions.host;
    return (machines.get(subjectId) ?? volumes.get(subjectId) ?? snapshots.get(subjectId))?.operation;
  }
}
