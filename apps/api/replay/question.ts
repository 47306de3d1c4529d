import type { ReplayExportRequest } from "#contracts";
import type { Refusal } from "#kernel";

/** Which events of a stretch somebody wants; all of these hold. */
export interface StepFilter {
  /** `machine/ID`… that the event touches. */
  readonly entity?: string | undefined;
  readonly type?: string | undefined;
  /** Only what tells of something that went wrong. */
  readonly failures?: boolean | undefined;
}

/** Which events of all of history; all of these hold. */
export interface LogFilter {
  readonly machine?: string | undefined;
  readonly volume?: string | undefined;
  readonly host?: string | undefined;
  readonly app?: string | undefined;
  readonly type?: string | undefined;
  /** "token:ci", or everybody of a kind: "token". */
  readonly actor?: string | undefined;
  readonly correlation?: string | undefined;
}

export const WHY_KINDS = ["machine", "volume", "host", "operation", "request", "event"] as const;
export type WhyKind = (typeof WHY_KINDS)[number];

/** What the thread is asked. Moments are text that `readMoment` reads. */
export type Question =
  | { readonly ask: "extent" }
  | { readonly ask: "at"; readonly m: string }
  | {
      readonly ask: "steps";
      readonly direction: "after" | "before";
      readonly m: string;
      readonly limit: number;
      readonly filter: StepFilter;
    }
  | { readonly ask: "entity"; readonly entity: string; readonly m: string }
  | { readonly ask: "diff"; readonly a: string; readonly b: string; readonly entity?: string | undefined }
  | {
      readonly ask: "why";
      readonly kind?: WhyKind | undefined;
      readonly id: string;
      readonly m: string;
    }
  | { readonly ask: "violations"; readonly until: string }
  | { readonly ask: "log"; readonly since: string; readonly until: string; readonly filter: LogFilter }
  | { readonly ask: "export"; readonly request: ReplayExportRequest };

/** JSON (of `log`: lines of it) as bytes, so that it costs the thread that asked nothing. */
export interface Answer {
  readonly body: Uint8Array;
  readonly isGzipped: boolean;
  /** False: there is another part, for whoever asks for more. */
  readonly isLast: boolean;
}

export type ToThread =
  | { readonly kind: "ask"; readonly id: number; readonly question: Question; readonly mayGzip: boolean }
  /** The next part of an answer. */
  | { readonly kind: "more"; readonly id: number }
  /** Nobody waits for this answer any more. */
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "ping" }
  /** Something was appended somewhere. */
  | { readonly kind: "happened" }
  | { readonly kind: "stop" };

export type FromThread =
  /** It takes questions. */
  | { readonly kind: "ready" }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer }
  | { readonly kind: "refused"; readonly id: number; readonly refusal: Refusal }
  /** A bug, for the log. */
  | { readonly kind: "failed"; readonly id: number; readonly error: string }
  | { readonly kind: "pong" }
  | { readonly kind: "notice"; readonly line: string };

/** What the thread begins with. */
export interface ThreadSettings {
  readonly servers: readonly string[];
  /** The API's own: the thread may do what the API may, and only reads. */
  readonly seed: string;
  /** Where it keeps states of the past to begin with. */
  readonly folder: string;
}
