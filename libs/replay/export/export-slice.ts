import type { ArchiveShows, RecordedEvent } from "#contracts";
import { RefusedError, refusal } from "#kernel";
import { type Entity, factsOf, formatEntity, type Timeline } from "#timeline";
import { archiveText } from "../archive/write-archive.ts";
import { type EventRef, entitiesNamedBy, eventRef } from "../event-ref.ts";
import { minimise } from "../minimise.ts";
import { redact } from "../redact.ts";
import { type Deciders, PRESENT_DECIDERS } from "../redecide/deciders.ts";
import { type FoundShown, findShown } from "./find-shown.ts";
import { baseOfTheirLogs, prunedBase } from "./pruned-base.ts";
import { relive, type Stretched } from "./relive.ts";
import { look } from "./shown.ts";
import type { ExportedSlice, SliceRequest } from "./slice.ts";
import { specText } from "./spec-text.ts";

const DEFAULT_MAX_RUNS = 2_000;
const PROGRESS_EVERY = 100;

/** A slice that still shows what it is to show, as small as it could be made. */
interface Reduced {
  readonly stretch: Stretched;
  readonly runs: number;
  readonly isMinimal: boolean;
}

/**
 * Cuts out of history what shows something (a broken invariant, what one event did, how one thing came to be), leaves out
 * whatever that does not need, replaces what may be secret, and writes a test beside it that fails for as long as the mistake
 * is made. Throws a refusal where history does not show it.
 */
export async function exportSlice(timeline: Timeline, request: SliceRequest): Promise<ExportedSlice> {
  const { onProgress = () => undefined, deciders = PRESENT_DECIDERS } = request;
  const found = await findShown(timeline, request);
  const considered = found.stretch.events.length;
  onProgress(
    `found at ${found.shownBy.log}:${found.shownBy.sequence}; ${considered} events may have led to it`,
  );
  const by = decidersThatShow(found, deciders);
  const reduced =
    request.minimise === false
      ? { stretch: found.stretch, runs: 0, isMinimal: false }
      : await reduce(found, by, request.maxRuns ?? DEFAULT_MAX_RUNS, onProgress);
  const { events, base, replaced } =
    request.redact === false ? { ...reduced.stretch, replaced: undefined } : redact(reduced.stretch);
  const stretch: Stretched = base === undefined ? { events } : { events, base };
  const shows = shownAfter(found.shows, stretch, by);
  const headline = redactedHeadline(found, stretch, shows, by);
  const name = request.name ?? nameOf(found.shows, found.shownBy);
  const { decidersFrom } = request;
  return {
    ...{ name, headline, events, considered, runs: reduced.runs, isMinimal: reduced.isMinimal },
    archive: await archiveText(
      {
        ...{ of: headline, shows, isPart: true },
        ...(base === undefined ? {} : { base }),
        ...(replaced === undefined ? {} : { redacted: replaced }),
      },
      events,
    ),
    spec: specText({ name, headline, ...(decidersFrom === undefined ? {} : { decidersFrom }) }),
    fails: look(stretch, shows, deciders).problems.length > 0,
    shownBy: eventRef(events.find(({ header }) => header.id === found.shownBy.id) ?? events.at(-1)!),
    redacted: replaced ?? 0,
  };
}

/** Who decides while the slice is made small: nobody anew, where these deciders do not make the mistake any more. */
function decidersThatShow({ stretch, shows }: FoundShown, deciders: Deciders): Deciders | undefined {
  return isAsShown(stretch, shows, deciders) ? deciders : undefined;
}

/** Whether a slice shows it: an invariant is to be broken, everything else to be as it was. */
function isAsShown(stretch: Stretched, shows: ArchiveShows, deciders: Deciders | undefined): boolean {
  const isWell = look(stretch, shows, deciders).problems.length === 0;
  return shows.kind === "breaks" ? !isWell : isWell;
}

async function reduce(
  { stretch, shows, shownBy }: FoundShown,
  deciders: Deciders | undefined,
  maxRuns: number,
  onProgress: (line: string) => void,
): Promise<Reduced> {
  const of = (events: readonly RecordedEvent[]): Stretched => ({ ...stretch, events });
  const stillShows = (events: readonly RecordedEvent[]) => isAsShown(of(events), shows, deciders);
  if (!stillShows(stretch.events)) {
    const message =
      "the last part of history does not show it by itself: export a shorter stretch with --until";
    throw new RefusedError(refusal("unsupported", message));
  }
  // What names the same things is most of the time all that it takes.
  const near = stretch.events.filter((event) => isNear(event, shows, shownBy));
  const begin = stillShows(near) ? near : stretch.events;
  const least = await minimise(begin, stillShows, {
    maxRuns,
    groupOf,
    onRun: (runs, left) => {
      if (runs % PROGRESS_EVERY === 0) onProgress(`${runs} tries, ${left} events in the last one`);
    },
  });
  onProgress(`${least.items.length} of ${stretch.events.length} events are left after ${least.runs} tries`);
  const small = of(least.items);
  if (small.base === undefined) return { ...least, stretch: small };
  const bases = [prunedBase, baseOfTheirLogs].map((prune) => prune(small.base!, small.events));
  const pruned = bases.map((base) => ({ ...small, base }));
  return { ...least, stretch: pruned.find((one) => isAsShown(one, shows, deciders)) ?? small };
}

function isNear(event: RecordedEvent, shows: ArchiveShows, { about, log }: EventRef): boolean {
  if (event.log === log && event.subject.endsWith(".host")) return true;
  const named = new Set(entitiesNamedBy(event).map(formatEntity));
  return (
    about.some((entity) => named.has(formatEntity(entity))) ||
    (shows.kind !== "changes" && named.has(formatEntity(shows.entity as Entity)))
  );
}

/** What comes and goes together at first: all of a machine, of a volume, of an aggregate of CONTROL. */
function groupOf({ data, subject }: RecordedEvent): string {
  const machineId = "machineId" in data ? data.machineId : undefined;
  return machineId ?? ("volumeId" in data ? data.volumeId : undefined) ?? subject;
}

/** What is shown, as what is left and redacted shows it. */
function shownAfter(shows: ArchiveShows, stretch: Stretched, deciders: Deciders | undefined): ArchiveShows {
  switch (shows.kind) {
    case "breaks":
      if (isAsShown(stretch, shows, deciders)) return shows;
      throw new RefusedError(
        refusal("unsupported", "without what may be secret it does not show any more: try without redacting"),
      );
    case "changes": {
      for (const { recorded, effect } of relive(stretch, deciders)) {
        if (recorded.header.id === shows.event) return { ...shows, changes: effect?.changes ?? [] };
      }
      return shows;
    }
    case "facts": {
      let facts: ArchiveShows & { kind: "facts" } = { ...shows, facts: null };
      for (const { world } of relive(stretch, deciders)) {
        facts = { ...shows, facts: { ...factsOf(world, shows.entity as Entity) } };
      }
      return facts;
    }
  }
}

/** A message may quote what was redacted: told again, from what is left. */
function redactedHeadline(
  { headline }: FoundShown,
  stretch: Stretched,
  shows: ArchiveShows,
  deciders: Deciders | undefined,
): string {
  const { violation } = look(stretch, shows, deciders);
  if (violation === undefined) return headline;
  return `${violation.invariant}: ${formatEntity(violation.entity)}: ${violation.message}`;
}

function nameOf(shows: ArchiveShows, { log, sequence }: EventRef): string {
  const what =
    shows.kind === "breaks"
      ? shows.invariant
      : shows.kind === "changes"
        ? shows.event
        : `${shows.entity.kind}-${shows.entity.id}`;
  const plain = what.replaceAll(/[^A-Za-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return `${plain.slice(0, 40) || "slice"}-${log.slice(-6)}-${sequence}`.toLowerCase();
}
