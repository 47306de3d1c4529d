import type {
  ReplayDiff,
  ReplayEntityState,
  ReplayExport,
  ReplayExportRequest,
  ReplayExtent,
  ReplayViolations,
} from "#contracts";
import type { Moment } from "#fleet";
import { type Clock, RefusedError, refusal, wallMsOf } from "#kernel";
import { blame, diff, exportSlice, type FindTrace, type SliceRequest, why } from "#replay";
import { type Entity, factsOf, parseEntity, type Timeline } from "#timeline";
import { logLines } from "./log-lines.ts";
import { readMoment } from "./moment-text.ts";
import type { Question } from "./question.ts";
import type { Findings } from "./survey.ts";
import { Walk } from "./walk.ts";
import { wholeState } from "./whole-state.ts";

/** Entities in one diff; each may have many changes. */
const MOST_ENTITIES = 1_000;
/** How often a slice is tried while it is made small: somebody waits for it. */
const MOST_RUNS = 500;

/** What an investigator works with. */
export interface Ground {
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly findTrace: FindTrace;
  /** What looking for violations found so far. */
  readonly findings: () => Findings;
}

type Of<A extends Question["ask"]> = Extract<Question, { readonly ask: A }>;

/** Answers questions about history. Throws refusals, and whatever `signal` was aborted with. */
export class Investigator {
  readonly #ground: Ground;
  readonly #walk: Walk;
  #extent: Promise<ReplayExtent> | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#walk = new Walk(ground.timeline, () => this.extent(), ground.clock);
  }

  /** What was known of the end of history is not so any more. */
  happened(): void {
    this.#extent = undefined;
  }

  /** Counted once for all that ask before something else happens. */
  extent(): Promise<ReplayExtent> {
    const extent = this.#extent ?? this.#ground.timeline.extent();
    this.#extent = extent;
    extent.catch(() => {
      if (this.#extent === extent) this.#extent = undefined;
    });
    return extent;
  }

  /** The answer to a question that has one part. */
  async answer(question: Exclude<Question, Of<"log">>, signal: AbortSignal): Promise<unknown> {
    switch (question.ask) {
      case "extent":
        return this.extent();
      case "at":
        return wholeState(await this.#ground.timeline.at(await this.#moment(question.m)));
      case "steps": {
        const { direction, m, limit, filter } = question;
        return this.#walk[direction](await this.#moment(m), { limit, filter, signal });
      }
      case "entity":
        return this.#entity(question);
      case "diff":
        return this.#diff(question);
      case "violations":
        return this.#violations(question);
      case "why": {
        const { kind, id, m } = question;
        const { timeline, findTrace, clock } = this.#ground;
        return why(timeline, { kind, id }, await this.#moment(m), findTrace, clock.nowMs());
      }
      case "export":
        return this.#export(question);
    }
  }

  /** The log, part by part. */
  async *log({ since, until, filter }: Of<"log">, signal: AbortSignal): AsyncGenerator<string> {
    const from = since === "" ? undefined : await this.#moment(since);
    yield* logLines(this.#ground.timeline, from, await this.#moment(until), filter, signal);
  }

  async #entity({ entity: text, m }: Of<"entity">): Promise<ReplayEntityState> {
    const { timeline } = this.#ground;
    const entity = entityOf(text);
    const moment = await this.#moment(m);
    const facts = factsOf(await timeline.at(moment), entity);
    if (facts === undefined) throw new RefusedError(refusal("not_found", `no ${text} at that moment`));
    const blamed = await blame(timeline, entity, moment);
    return { entity: text, facts, blame: blamed };
  }

  async #diff({ a, b, entity }: Of<"diff">): Promise<ReplayDiff> {
    const scope = entity === undefined ? {} : { entity: entityOf(entity) };
    const found = await diff(this.#ground.timeline, await this.#moment(a), await this.#moment(b), scope);
    if (found.entities.length <= MOST_ENTITIES) return found;
    return { ...found, entities: found.entities.slice(0, MOST_ENTITIES), truncated: true };
  }

  async #violations({ until }: Of<"violations">): Promise<ReplayViolations> {
    const untilMs = await this.#wallMs(await this.#moment(until));
    const { violations, checkedToMs, isDone, isTruncated } = this.#ground.findings();
    return {
      violations: violations.filter(({ event }) => event.atMs <= untilMs),
      checkedTo: checkedToMs,
      done: isDone,
      ...(isTruncated ? { truncated: true } : {}),
    };
  }

  async #export({ request }: Of<"export">): Promise<ReplayExport> {
    const { name, archive, spec, headline, fails, events, considered } = await exportSlice(
      this.#ground.timeline,
      { ...(await this.#shown(request)), maxRuns: MOST_RUNS },
    );
    return {
      fixture: { name: `${name}.ndjson`, text: archive },
      test: { name: `${name}.spec.ts`, text: spec },
      ...{ headline, fails, events: events.length, of: considered },
    };
  }

  async #shown({ entity, violation, event, b = "now" }: ReplayExportRequest): Promise<SliceRequest> {
    if (event !== undefined) return { event };
    if (entity !== undefined) return { entity: entityOf(entity), until: await this.#moment(b) };
    if (violation === undefined) return { event: await this.#lastBefore(await this.#moment(b)) };
    const { invariant, eventId, entity: broken } = violation;
    const until = await this.#moment(eventId);
    return { invariant, until, ...(broken === undefined ? {} : { entity: entityOf(broken) }) };
  }

  /** Id of the last event up to a moment. */
  async #lastBefore(moment: Moment): Promise<string> {
    const { signal } = new AbortController();
    const { steps } = await this.#walk.before(moment, { limit: 1, filter: {}, signal });
    if (steps[0] !== undefined) return steps[0].id;
    throw new RefusedError(refusal("not_found", "nothing had happened by then: there is nothing to export"));
  }

  async #wallMs(moment: Moment): Promise<number> {
    switch (moment.kind) {
      case "now":
        return Number.POSITIVE_INFINITY;
      case "time":
        return moment.atMs;
      case "event":
        return wallMsOf(moment.clock);
      case "position":
        return (await this.#ground.timeline.at(moment)).nowMs;
    }
  }

  async #moment(text: string): Promise<Moment> {
    const asked = readMoment(text, this.#ground.clock.nowMs());
    if (asked === undefined) throw new RefusedError(refusal("invalid", `"${text}" is no moment`));
    if (asked.kind !== "id") return asked;
    const moment = await this.#ground.timeline.momentOf(asked.eventId);
    if (moment !== undefined) return moment;
    throw new RefusedError(refusal("not_found", `the logs hold no event ${asked.eventId}`));
  }
}

function entityOf(text: string): Entity {
  const entity = parseEntity(text);
  if (entity !== undefined) return entity;
  throw new RefusedError(
    refusal("invalid", `"${text}" is no entity: name it as machine/ID, host/ID, app/NAME`),
  );
}
