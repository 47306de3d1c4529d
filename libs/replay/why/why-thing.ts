import { wallMsOf } from "#kernel";
import { type Entity, type Facts, factsOf } from "#timeline";
import { durationText, entityText, exitText, timeText } from "../phrases.ts";
import { causesOf } from "./act-cause.ts";
import { type Act, actsOf, beginningOf, rootOf } from "./acts.ts";
import type { Explanation } from "./explanation.ts";
import { isPlacement } from "./placement-cause.ts";
import { type Scene, waitsOf } from "./waiting.ts";

/** Why a machine or a volume is where it is, and why it is in its state. */
export function whyThing(scene: Scene, entity: Entity): Explanation {
  const acts = actsOf(scene.told);
  const placed = acts.findLast((act) => isPlacement(beginningOf(act)));
  const transition = acts.findLast(changesState);
  const latest = acts.at(-1);
  const tellers = [placed, transition, isRefusalAfter(latest, transition) ? latest : undefined];
  const stuck = waitsOf(scene, entity);
  return {
    headline: headline(scene, entity, transition, stuck.length > 0 ? stuck[0]!.because : undefined),
    causes: causesOf(rootsOf(acts, tellers)),
    stuck,
  };
}

function changesState({ told }: Act): boolean {
  return told.some(({ changes }) => changes.some(({ path }) => path === "state"));
}

/** What was asked for since, and refused. */
function isRefusalAfter(latest: Act | undefined, transition: Act | undefined): boolean {
  return (
    latest !== transition && latest !== undefined && /Refused|Dropped|Queued/.test(beginningOf(latest).type)
  );
}

/** The roots of these acts, and of all that was set in motion with them, in causal order. */
export function rootsOf(acts: readonly Act[], wanted: readonly (Act | undefined)[]): Act[] {
  const meant = wanted.flatMap((act) => (act === undefined ? [] : [rootOf(act)]));
  const requests = new Set(meant.map((act) => beginningOf(act).header.correlationId));
  return acts.filter((act) => {
    if (act.parent !== undefined) return false;
    return meant.includes(act) || requests.has(beginningOf(act).header.correlationId);
  });
}

function headline(
  { world, told, nowMs }: Scene,
  entity: Entity,
  transition: Act | undefined,
  because: string | undefined,
): string {
  const facts = factsOf(world, entity);
  const name = entityText(entity.kind, entity.id, facts?.name ?? nameIn(told));
  if (facts === undefined) {
    const last = told.at(-1)?.event;
    const end =
      last === undefined
        ? ""
        : `: the last that was told of it is ${last.type} at ${timeText(wallMsOf(last.header.clock))}`;
    return `${name} is not there any more${end}`;
  }
  const place = facts.host === undefined ? "on no host" : `on ${facts.host}`;
  const changed = transition?.told.findLast(({ changes }) => changes.some(({ path }) => path === "state"));
  const sinceMs = changed === undefined ? undefined : wallMsOf(changed.event.header.clock);
  const since =
    sinceMs === undefined
      ? ""
      : ` since ${timeText(sinceMs)} (${durationText(Math.max(0, nowMs - sinceMs))})`;
  return `${name} is ${stateText(facts)} ${place}${since}${because === undefined ? "" : `: ${because}`}`;
}

function stateText(facts: Facts): string {
  const hasEnded = facts.state === "stopped" || facts.state === "restarting";
  const words = [
    ...(hasEnded ? [exitText(facts)] : []),
    facts.restarts === undefined ? undefined : `restarted ${facts.restarts} times`,
  ].filter((word) => word !== undefined);
  return words.length === 0 ? String(facts.state) : `${facts.state} (${words.join(", ")})`;
}

/** What it was called, as its own events say. */
function nameIn(told: Scene["told"]): string | undefined {
  for (const { event } of told) if ("name" in event.data) return event.data.name;
  return undefined;
}
