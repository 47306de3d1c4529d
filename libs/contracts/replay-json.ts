/*
 * What the API answers under `/drover/v1/replay/`, for the console. Types alone: a browser imports them and nothing else.
 * All times are epoch milliseconds. A moment `m` is text: `now`, a time (ISO 8601, epoch milliseconds, or `10m` ago), a position
 * (`LOG:SEQUENCE,…`), the id of an event, or an event in full (`LOG:SEQUENCE@CLOCK`, the moment right
 * after a step), which is answered quickest. Refusals are `{error, status}` with a status from 400 on, as everywhere in the API.
 */

/** What a fact may be. */
export type ReplayFact = string | number | boolean;

/** Everything that is known of one entity, by path ("state", "route.host"); what is not the case is not there. */
export type ReplayFacts = Readonly<Record<string, ReplayFact>>;

/** `machine/ID`, `host/ID`, `volume/ID`, `snapshot/ID`, `app/NAME`, `reservation/ID`. */
export type ReplayEntity = string;

/** GET extent: how far history reaches, and how dense it is. All zero and no buckets while nothing has happened. */
export interface ReplayExtent {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly events: number;
  /** At most 600, of equal width, without gaps. */
  readonly buckets: readonly ReplayBucket[];
}

export interface ReplayBucket {
  readonly fromMs: number;
  /** Not included, but in the last one. */
  readonly toMs: number;
  readonly events: number;
  /** Events that tell of something that went wrong: a failed step, a crash, a refusal. */
  readonly failures: number;
}

/** GET at?m=: the whole plane at a moment. Facts without `config.*`. What is gone is not listed. */
export interface ReplayAt {
  /** `LOG:SEQUENCE,…`: may be given back as a moment. */
  readonly position: string;
  /** Wall time of the latest event that is included; 0 before the first. */
  readonly atMs: number;
  readonly hosts: readonly ReplayThing[];
  readonly machines: readonly ReplayThing[];
  readonly volumes: readonly ReplayThing[];
  readonly apps: readonly ReplayThing[];
  /** Not all machines or volumes are listed: there are more than an answer may hold. */
  readonly truncated?: boolean;
}

export interface ReplayThing {
  readonly id: string;
  readonly facts: ReplayFacts;
}

/** One fact that an event made otherwise. Absent: it was not, or is not any more, the case. */
export interface ReplayChange {
  readonly entity: ReplayEntity;
  readonly path: string;
  readonly before?: ReplayFact;
  readonly after?: ReplayFact;
}

/** An event, and what it did. */
export interface ReplayStep {
  /** ULID. */
  readonly id: string;
  readonly log: string;
  readonly sequence: number;
  readonly atMs: number;
  /** Hybrid clock: orders events across logs. */
  readonly clock: string;
  readonly type: string;
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId: string;
  /** The host in whose log it stands; absent for CONTROL's. */
  readonly hostId?: string;
  /** What it is about, the most telling first. */
  readonly about: readonly ReplayEntity[];
  /** A few words: "step=launch attempt=2". May be empty. */
  readonly summary: string;
  /** It tells of something that went wrong. */
  readonly failure: boolean;
  /** At most 200; `config.*` is left out but for the machine's image. */
  readonly changes: readonly ReplayChange[];
  /** Why it could not be folded, if so: then it changed nothing (I10). */
  readonly unfolded?: string;
}

/**
 * GET steps?after=m|before=m&limit=&entity=&type=&failures=true: in causal order, oldest first, whichever way was asked.
 * `after` begins right after the moment; `before` gives the last ones up to and including it.
 */
export interface ReplaySteps {
  readonly steps: readonly ReplayStep[];
  /** Whether there are more in that direction. */
  readonly more: boolean;
  /**
   * Where the search ended: to be given back as `after` or `before`, to go on without a gap and without a repeat. It can be
   * beyond the last step given, as a filter that fits little is searched for a bounded time. Absent at the beginning.
   */
  readonly reached?: string;
}

/** GET entity?entity=&m=: all its facts (with `config.*`), and the event that made each so. 404 when it is not there. */
export interface ReplayEntityState {
  readonly entity: ReplayEntity;
  readonly facts: ReplayFacts;
  readonly blame: readonly ReplayBlame[];
}

export interface ReplayBlame {
  readonly path: string;
  readonly value: ReplayFact;
  /** Absent when the event is in no log any more. */
  readonly event?: ReplayEvent;
  /** What command it was decided from, where the event says so. */
  readonly command?: string;
  /** The log in which it was set, and which is not there any more: the event is the one that carried it over. */
  readonly carriedOver?: string;
}

/** Something of the plane, as debugger answers name it. */
export interface ReplayName {
  readonly kind: string;
  readonly id: string;
}

/** An event as debugger answers cite it. */
export interface ReplayEvent {
  readonly id: string;
  readonly type: string;
  readonly log: string;
  readonly sequence: number;
  readonly atMs: number;
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly hostId?: string;
  readonly about: readonly ReplayName[];
}

/** GET diff?a=&b=&entity=: what is otherwise at `b`, each with its last event. */
export interface ReplayDiff {
  readonly from: { readonly position: Readonly<Record<string, number>>; readonly atMs: number };
  readonly to: { readonly position: Readonly<Record<string, number>>; readonly atMs: number };
  /** `a` was the later one: told of in the order of time. */
  readonly swapped: boolean;
  readonly entities: readonly ReplayEntityDiff[];
  /** There are more than an answer may hold. */
  readonly truncated?: boolean;
}

export interface ReplayEntityDiff {
  readonly entity: ReplayName;
  readonly kind: "appeared" | "changed" | "gone";
  /** One sentence: "machine 148e… moved host-3 → host-7". */
  readonly title: string;
  readonly changes: readonly ReplayDiffChange[];
  /** How long its route was gone in between. */
  readonly routeGapMs?: number;
}

export interface ReplayDiffChange {
  readonly entity: ReplayName;
  readonly path: string;
  readonly before?: ReplayFact;
  readonly after?: ReplayFact;
  readonly event: ReplayEvent;
}

/** GET why?kind=&id=&m=: `kind` is machine, volume, host, operation, request or event; without it `id` may be a name. */
export interface ReplayExplanation {
  readonly headline: string;
  readonly causes: readonly ReplayCause[];
  readonly stuck: readonly ReplayWaiting[];
}

export interface ReplayCause {
  /** request, command, bid, refusal, decision, operation, step, event, route or wait. */
  readonly kind: string;
  readonly title: string;
  readonly detail?: string;
  readonly atMs?: number;
  readonly durationMs?: number;
  readonly event?: ReplayEvent;
  readonly children: readonly ReplayCause[];
}

export interface ReplayWaiting {
  readonly what: string;
  readonly sinceMs: number;
  readonly because: string;
  readonly releasedBy: string;
}

/** GET violations?until=m: each kept, also when it healed. */
export interface ReplayViolations {
  readonly violations: readonly ReplayViolation[];
  /** Up to when history has been checked, wall time; checking goes on in the background. 0 before the first event. */
  readonly checkedTo: number;
  /** Checking has come to the end of history. */
  readonly done: boolean;
  /** More were found than are kept. */
  readonly truncated?: boolean;
}

export interface ReplayViolation {
  readonly invariant: string;
  readonly entity: ReplayName;
  readonly message: string;
  readonly event: ReplayEvent;
  readonly healedBy?: ReplayEvent;
}

/** POST export: what a slice of history is to show: one of `violation`, `event` and `entity`, else the last event. */
export interface ReplayExportRequest {
  /** How it came to be as it is at `b`. */
  readonly entity?: ReplayEntity;
  /** The broken invariant, by its name, of `entity` where several break it, and the id of the event that broke it. */
  readonly violation?: {
    readonly invariant: string;
    readonly eventId: string;
    readonly entity?: ReplayEntity;
  };
  /** The id of an event: what it changed. */
  readonly event?: string;
  /** The moment of `entity`, or the end; `now` unless told. */
  readonly b?: string;
}

/** POST export: two files to put side by side. */
export interface ReplayExport {
  readonly fixture: { readonly name: string; readonly text: string };
  readonly test: { readonly name: string; readonly text: string };
  /** One sentence: what it shows. */
  readonly headline: string;
  /** Whether the test fails with today's code: not where the mistake is mended already. */
  readonly fails: boolean;
  /** How many events the fixture holds, and of how many. */
  readonly events: number;
  readonly of: number;
}
