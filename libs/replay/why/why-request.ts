import type { RecordedEvent, RequestTrace } from "#contracts";
import { wallMsOf } from "#kernel";
import type { Entity } from "#timeline";
import { timeText } from "../phrases.ts";
import { causesOf, commandCause } from "./act-cause.ts";
import { type Act, beginningOf } from "./acts.ts";
import type { Cause, Explanation } from "./explanation.ts";
import { type Scene, waitsOf } from "./waiting.ts";

/** A machine or volume that a request had to do with. `acts`: its events, grouped. */
export interface Concerned {
  readonly entity: Entity;
  readonly scene: Scene;
  readonly acts: readonly Act[];
}

/** What became of a request: as its router tells it, and what it had hosts do. At least one of both is known. */
export function whyRequest(
  requestId: string,
  trace: RequestTrace | undefined,
  concerned: readonly Concerned[],
): Explanation {
  const stuck = concerned.flatMap(({ scene, entity }) => waitsOf(scene, entity));
  if (trace === undefined) return { ...untraced(requestId, concerned), stuck };
  const causes = [traceCause(trace, concerned)];
  return { headline: headline(trace), causes, stuck, trace, events: eventsOf(trace, concerned) };
}

/** A request that no router told of: one to the API, or one whose trace is gone. */
function untraced(requestId: string, concerned: readonly Concerned[]): Omit<Explanation, "stuck"> {
  const roots = concerned.flatMap(({ acts }) => ownRoots(acts, requestId));
  const names = concerned.map(({ entity }) => `${entity.kind} ${entity.id}`).join(", ");
  const [first] = roots.map(beginningOf);
  const when =
    first === undefined ? "" : ` of ${first.header.actor} at ${timeText(wallMsOf(first.header.clock))}`;
  const events = concerned.flatMap(({ scene }) => caused(scene, new Set([requestId])));
  return { headline: `request ${requestId}${when}: ${names}`, causes: causesOf(roots), events };
}

function eventsOf(trace: RequestTrace, concerned: readonly Concerned[]): RecordedEvent[] {
  const starts = trace.stages.flatMap((stage) => startsAskedBy(stage, trace, concerned));
  const requests = new Set([trace.requestId, ...starts.map((act) => beginningOf(act).header.correlationId)]);
  return concerned.flatMap(({ scene }) => caused(scene, requests));
}

function caused({ told }: Scene, requests: ReadonlySet<string>): RecordedEvent[] {
  return told.map(({ event }) => event).filter(({ header }) => requests.has(header.correlationId));
}

function ownRoots(acts: readonly Act[], requestId: string): Act[] {
  const isOwn = (act: Act) => beginningOf(act).header.correlationId === requestId;
  return acts.filter((act) => isOwn(act) && (act.parent === undefined || !isOwn(act.parent)));
}

function headline({ requestId, method, path, appName, routerId, atMs, status }: RequestTrace): string {
  const end = status === undefined ? "its client went away before an answer" : `answered ${status}`;
  return `request ${requestId}: ${method} ${path} of app ${appName}, through ${routerId} at ${timeText(atMs)}, ${end}`;
}

/** The request's waterfall: each stage with the time until the next, below it what hosts did. */
function traceCause(trace: RequestTrace, concerned: readonly Concerned[]): Cause {
  const { requestId, atMs, stages } = trace;
  const acts = new Set<Act>();
  const children = stages.map((stage, index): Cause => {
    const next = stages[index + 1];
    const began = startsAskedBy(stage, trace, concerned).filter((act) => !acts.has(act));
    for (const act of began) acts.add(act);
    return {
      kind: stage.stage === "refused" ? "refusal" : stage.stage === "held" ? "wait" : "step",
      title: stageText(stage),
      atMs: atMs + stage.afterMs,
      ...(next === undefined ? {} : { durationMs: next.afterMs - stage.afterMs }),
      children: began.map((act) => askedCause(act, requestId)),
    };
  });
  const [method, path] = [trace.method, trace.path];
  const lastMs = stages.at(-1)?.afterMs ?? 0;
  return {
    kind: "request",
    title: `${method} ${path}`,
    detail: `request ${requestId}`,
    atMs,
    durationMs: lastMs,
    children,
  };
}

type Stage = RequestTrace["stages"][number];

/** What a stage means, beyond its name. */
const MEANINGS: Readonly<Partial<Record<Stage["stage"], string>>> = {
  held: "it waits",
  asked: "its host is to start it",
  accepted: "its host has written the start down",
  started: "its process runs",
  connected: "its program took the connection",
};

function stageText({ stage, machineId, hostId, reason }: Stage): string {
  const who = machineId === undefined ? "" : ` ${machineId} on ${hostId ?? "?"}`;
  const what = MEANINGS[stage] === undefined ? "" : `: ${MEANINGS[stage]}`;
  return `${stage.replace("_", " ")}${who}${what}${reason === undefined ? "" : ` (${reason})`}`;
}

/** How much the clocks of routers and hosts may differ. */
const CLOCK_SLACK_MS = 2_000;

/** The start that a machine was asked for: the request's own, else the one of another request that it joined. */
function startsAskedBy(
  { stage, machineId }: Stage,
  trace: RequestTrace,
  concerned: readonly Concerned[],
): Act[] {
  if (stage !== "asked" && stage !== "accepted") return [];
  const acts =
    concerned.find(({ entity }) => entity.kind === "machine" && entity.id === machineId)?.acts ?? [];
  const own = ownRoots(acts, trace.requestId);
  if (own.length > 0) return own;
  const endMs = trace.atMs + (trace.stages.at(-1)?.afterMs ?? 0) + CLOCK_SLACK_MS;
  const joined = acts.findLast((act) => {
    const event = beginningOf(act);
    const atMs = wallMsOf(event.header.clock);
    return event.type === "MachineStarting" && atMs >= trace.atMs - CLOCK_SLACK_MS && atMs <= endMs;
  });
  return joined === undefined ? [] : [joined];
}

function askedCause(act: Act, requestId: string): Cause {
  const cause = commandCause(act);
  const { correlationId, clock } = beginningOf(act).header;
  if (correlationId === requestId) return cause;
  const title = `joined a start that was under way, for ${correlationId}: ${cause.title}`;
  return { ...cause, title, atMs: wallMsOf(clock) };
}
