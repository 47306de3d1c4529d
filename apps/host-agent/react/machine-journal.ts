import { RefusedError, type StepOutcome } from "#kernel";
import { isCancelled } from "#machines";
import { type JournalEntry, OperationJournal } from "#operations";
import type { Decisions } from "../decisions.ts";

/** A machine's operation as its log has it; outcomes go there through the decider. */
export class MachineJournal extends OperationJournal {
  readonly #decisions: Decisions;

  constructor(decisions: Decisions) {
    super();
    this.#decisions = decisions;
  }

  override run(machineId: string): JournalEntry | undefined {
    const machine = this.#decisions.machine(machineId);
    if (machine?.operation === undefined) return undefined;
    return { run: machine.operation, cancelled: isCancelled(machine) };
  }

  override async record(
    machineId: string,
    operationId: string,
    outcome: StepOutcome,
    attemptKey: string,
  ): Promise<void> {
    const run = this.#decisions.machine(machineId)?.operation;
    const correlationId = (run?.id === operationId ? run.correlationId : undefined) ?? operationId;
    const cause = { causationId: operationId, correlationId };
    const recorded = await this.#decisions.ownOf(
      machineId,
      { type: "RecordStep", origin: "operation", operationId, outcome, attemptKey },
      cause,
    );
    if (recorded.kind === "refused") throw new RefusedError(recorded.refusal);
  }
}
