import type { ReplayAt, ReplayStep } from "#contracts";
import type { ReplayApi } from "../api/replay-api.ts";
import { readPosition } from "./moment.ts";
import { CHUNK } from "./step-window.ts";

/** Steps fetched before a moment: enough for its list of events, and for a fine histogram. Going further back asks for more. */
const BEFORE = 1_000;
/** A position longer than this does not fit an address. */
const LONGEST_POSITION = 6_000;

/** A world, and the steps on both sides of it. */
export interface Surroundings {
  readonly at: ReplayAt;
  readonly position: Map<string, number>;
  readonly before: readonly ReplayStep[];
  readonly moreBefore: boolean;
  readonly after: readonly ReplayStep[];
  readonly moreAfter: boolean;
}

/** Fetches a moment with what is around it. Throws `ApiTrouble`, or an abort. */
export async function loadAround(api: ReplayApi, moment: string, signal: AbortSignal): Promise<Surroundings> {
  // `now` is another moment with each question: what is around it has to be asked of the moment that the first one met.
  const met = moment === "now" ? await api.at(moment, signal) : undefined;
  const fixed = met === undefined ? moment : fixedMoment(met);
  const [at, before, after] = await Promise.all([
    met ?? api.at(moment, signal),
    api.steps({ before: fixed, limit: BEFORE }, signal),
    api.steps({ after: fixed, limit: CHUNK }, signal),
  ]);
  const position = readPosition(at.position);
  const isIncluded = ({ log, sequence }: ReplayStep) => sequence <= (position.get(log) ?? 0);
  return {
    at,
    position,
    before: before.steps.filter(isIncluded),
    moreBefore: before.more,
    after: after.steps.filter((step) => !isIncluded(step)),
    moreAfter: after.more,
  };
}

function fixedMoment({ position, atMs }: ReplayAt): string {
  return position !== "" && position.length <= LONGEST_POSITION ? position : String(atMs);
}
