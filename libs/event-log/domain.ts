import type { AnyEvent, DecisionRecord } from "#contracts";
import type { Decision, Refusal } from "#kernel";
import type { Fold } from "./fold.ts";

/** What a command is given beside what was asked: its id and the wall time, as data. */
export interface Issued {
  readonly commandId: string;
  readonly atMs: number;
}

/** The log that a new one takes the place of, with the state that it came to. */
export interface PreviousLog {
  readonly logId: string;
  readonly sequence: number;
  readonly reason: string;
  readonly state: unknown;
}

/** What a ledger has to know of the domain whose decisions it keeps. All of it pure. */
export interface Domain<C, S, E extends AnyEvent> {
  readonly fold: Fold<S>;
  decide(command: C, state: S): Decision<E>;
  /** Subjects of the aggregates that a command is decided on: while one is quarantined, the command is refused (F18). */
  aggregatesOf(command: C): readonly string[];
  /** Subject that an event is logged under: its aggregate's. */
  subjectOf(event: E): string;
  /** The command for the decision record: no secret, nothing that the event which it makes holds already. */
  describe(command: C, event?: E): Omit<DecisionRecord, "commandId">;
  /** First command of a log. */
  openLog(log: { readonly logId: string; readonly previous?: PreviousLog }, issued: Issued): C;
  /** What else is to be decided before anybody's commands: the claim of the log's epoch above all (I1). */
  opening(issued: () => Issued): C[];
  /** The command that writes down that `command` was refused `count` times; undefined where nobody needs to know. */
  recordRefusal(command: C, reason: Refusal, count: number, issued: Issued): C | undefined;
}
