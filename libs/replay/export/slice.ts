import type { RecordedEvent } from "#contracts";
import type { Moment } from "#fleet";
import type { Entity } from "#timeline";
import type { EventRef } from "../event-ref.ts";
import type { Deciders } from "../redecide/deciders.ts";

/**
 * What a slice is to show. Exactly one of `invariant` (with `entity` where it is broken for several), `event` and `entity`
 * alone says what may not be lost while it is made small.
 */
export interface SliceRequest {
  /** The name of its files: letters, digits, `-` and `_`. Made from what it shows when left out. */
  readonly name?: string;
  /** By name or expression, as `invariantOf` takes it: the slice breaks it as the whole of history does. */
  readonly invariant?: string;
  /** Of this entity. Alone: everything that touches it. */
  readonly entity?: Entity;
  /** Id of an event: the slice leads to it, and it changes what it changed. */
  readonly event?: string;
  /** Begins in the world of this moment; with the beginning of history when left out. */
  readonly since?: Moment;
  /** Looks no further than this. "now" when left out. */
  readonly until?: Moment;
  /** Leaves out what is not needed; true when left out. */
  readonly minimise?: boolean;
  /** Replaces what may be secret; true when left out. */
  readonly redact?: boolean;
  /** Tries at the most while it is made small; 2,000 when left out. */
  readonly maxRuns?: number;
  /** So many events before it are looked at, with the state before these; 50,000 when left out. */
  readonly mostConsidered?: number;
  /** Who decides when the slice is lived through again: this release's deciders when left out. */
  readonly deciders?: Deciders;
  /** A module that exports those deciders, as the test is to import it. For tests of the debugger itself. */
  readonly decidersFrom?: string;
  readonly onProgress?: (line: string) => void;
}

/** A slice of history as two files. */
export interface ExportedSlice {
  readonly name: string;
  /** One sentence: what it shows. */
  readonly headline: string;
  /** `<name>.ndjson`: the archive. */
  readonly archive: string;
  /** `<name>.spec.ts`: the test beside it. */
  readonly spec: string;
  /** Whether the test fails on the code that exported it: false where the present deciders do not repeat the mistake. */
  readonly fails: boolean;
  /** What is in the archive, redacted. */
  readonly events: readonly RecordedEvent[];
  /** The event at which it shows, as it is in the archive. */
  readonly shownBy: EventRef;
  /** How many events were looked at, and how many tries it took to leave out the rest. */
  readonly considered: number;
  readonly runs: number;
  /** Whether not one of the events could be left out. */
  readonly isMinimal: boolean;
  /** How many different secrets were replaced. */
  readonly redacted: number;
}
