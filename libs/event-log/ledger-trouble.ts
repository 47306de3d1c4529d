import type { HybridTime } from "#kernel";
import type { QuarantinedEvent } from "./quarantine.ts";

/** What a person should hear of, though the ledger goes on. */
export type LedgerTrouble =
  /** An event could not be folded: its aggregate takes no commands (F18). */
  | { readonly kind: "quarantined"; readonly event: QuarantinedEvent }
  /** An event of the log was bad, and a copy of it was good. */
  | { readonly kind: "repaired"; readonly log: string; readonly sequence: number }
  /** A new log takes the place of one that was behind, diverged or lost. */
  | {
      readonly kind: "log_replaced";
      readonly logId: string;
      readonly sequence: number;
      readonly reason: string;
    }
  /** Nobody could be asked for copies of a log. */
  | { readonly kind: "no_copies"; readonly log: string; readonly error: unknown }
  /** A command's cause claims a time so far ahead that its clock is not believed (F20). */
  | { readonly kind: "clock_ahead"; readonly clock: HybridTime }
  | {
      readonly kind: "listener_failed" | "checkpoint_failed" | "fold_failed" | "refusal_not_recorded";
      readonly error: unknown;
    };
