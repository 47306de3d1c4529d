import type { RecordedEvent } from "#contracts";
import type { StateBefore, WhatIf } from "#replay";
import type { PlainChange } from "./whatif-change.ts";

/** How what-if is begun in a process of its own. Maps travel as lists. */
export interface WhatifBegin {
  readonly kind: "begin";
  /** Modules that export deciders; of two that export the same, the later counts. */
  readonly modules: readonly string[];
  /** Where `#name` leads for modules that belong to no project. */
  readonly libs: string;
  readonly base: StateBefore;
  readonly most: number;
  readonly policy?: PlainChange["policy"];
  readonly drop?: PlainChange["drop"];
  readonly edit: readonly (readonly [string, RecordedEvent["data"]])[];
  readonly insert: readonly (readonly [string, readonly RecordedEvent[]])[];
}

export type WhatifQuestion =
  | WhatifBegin
  | { readonly kind: "events"; readonly events: readonly RecordedEvent[] }
  | { readonly kind: "end" };

export type WhatifAnswer =
  | { readonly kind: "ready"; readonly deciders: readonly string[] }
  | { readonly kind: "taken"; readonly isEnough: boolean }
  | { readonly kind: "result"; readonly result: WhatIf }
  | { readonly kind: "failed"; readonly message: string };
