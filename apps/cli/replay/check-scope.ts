import type { Moment } from "#fleet";
import { RefusedError, refusal } from "#kernel";
import { entitiesNamed, oneNamed } from "#replay";
import type { Entity, EntityKind, Timeline } from "#timeline";
import type { CliContext } from "../context.ts";
import { parseMoment } from "./moment.ts";
import type { SourceFlags } from "./open-timeline.ts";

/** What part of history is checked, as flags say it. */
export interface CheckFlags extends SourceFlags {
  readonly machine?: string;
  readonly host?: string;
  readonly volume?: string;
  readonly app?: string;
  readonly since?: string;
  readonly until?: string;
}

export interface CheckedPart {
  readonly since?: Moment;
  readonly until?: Moment;
  readonly entity?: Entity;
}

const SCOPES = ["machine", "host", "volume", "app"] as const satisfies readonly EntityKind[];

/** Reads the flags; names are looked up where the part ends. */
export async function checkedPart(
  context: CliContext,
  timeline: Timeline,
  flags: CheckFlags,
): Promise<CheckedPart> {
  const kind = scopeKind(flags);
  const nowMs = context.clock.nowMs();
  const since = flags.since === undefined ? undefined : await parseMoment(timeline, flags.since, nowMs);
  const until = flags.until === undefined ? undefined : await parseMoment(timeline, flags.until, nowMs);
  const entity = kind === undefined ? undefined : await named(timeline, until, kind, flags[kind]!);
  return {
    ...(since === undefined ? {} : { since: before(since) }),
    ...(until === undefined ? {} : { until }),
    ...(entity === undefined ? {} : { entity }),
  };
}

/** The one kind of thing that the flags name. */
export function scopeKind(flags: CheckFlags): (typeof SCOPES)[number] | undefined {
  const given = SCOPES.filter((kind) => flags[kind] !== undefined);
  if (given.length < 2) return given[0];
  const message = `${given.map((kind) => `--${kind}`).join(" and ")}: use one of them`;
  throw new RefusedError(refusal("invalid", message));
}

/** A time counts itself, a position and an event do not: what is checked comes after. */
function before(since: Moment): Moment {
  return since.kind === "time" ? { kind: "time", atMs: since.atMs - 1 } : since;
}

/** What a text means where a part of history ends. What is long gone goes by its id alone. */
export async function named(
  timeline: Timeline,
  until: Moment = { kind: "now" },
  kind: EntityKind,
  text: string,
): Promise<Entity> {
  const world = await timeline.at(until);
  return entitiesNamed(world, text, [kind]).length === 0 ? { kind, id: text } : oneNamed(world, text, [kind]);
}
