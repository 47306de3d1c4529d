import type { RecordedEvent } from "#contracts";
import { wallMsOf } from "#kernel";
import { type Fact, summaryOf } from "#timeline";
import type { Told } from "../blame-history.ts";
import { eventRef } from "../event-ref.ts";
import { type Act, beginningOf, operationIdOf } from "./acts.ts";
import type { Cause } from "./explanation.ts";
import { isPlacement, placementCause } from "./placement-cause.ts";
import { stepCauses } from "./step-causes.ts";

/** Acts that nothing among them led to, as trees: what one request set in motion stands below that request. */
export function causesOf(roots: readonly Act[]): Cause[] {
  const byRequest = new Map<string, Act[]>();
  for (const root of roots) {
    const { correlationId } = beginningOf(root).header;
    byRequest.set(correlationId, [...(byRequest.get(correlationId) ?? []), root]);
  }
  return [...byRequest].flatMap(([requestId, acts]) => {
    const commands = acts.map(commandCause);
    return isOneOwn(requestId, acts) ? commands : [requestCause(requestId, acts, commands)];
  });
}

/** A host's own doing belongs to no request: it is its own correlation. */
function isOneOwn(requestId: string, acts: readonly Act[]): boolean {
  return acts.every((act) => {
    const { header, decision } = beginningOf(act);
    return decision?.commandId === requestId || header.actor.startsWith("host:");
  });
}

function requestCause(requestId: string, acts: readonly Act[], children: readonly Cause[]): Cause {
  const first = beginningOf(acts[0]!);
  const lastMs = Math.max(...acts.map(lastMsOf));
  const atMs = wallMsOf(first.header.clock);
  return {
    kind: "request",
    title: `request ${requestId} of ${first.header.actor}`,
    ...{ atMs, durationMs: lastMs - atMs, children },
  };
}

function lastMsOf(act: Act): number {
  return Math.max(wallMsOf(act.told.at(-1)!.event.header.clock), ...act.children.map(lastMsOf));
}

/** The command that an act was decided from, and the act below it. What led to the act by itself needs no command. */
export function commandCause(act: Act): Cause {
  const { decision, header } = beginningOf(act);
  const caused = actCause(act);
  // An operation that another one's end began was decided from a step's outcome, and that stands above it.
  if (decision === undefined || decision.command === "RecordStep") return caused;
  const inputs = inputsText(decision.inputs);
  return {
    kind: "command",
    title: `${decision.command} by ${header.actor}${ORIGINS[String(decision.inputs.origin)] ?? ""}`,
    ...(inputs === "" ? {} : { detail: inputs }),
    atMs: wallMsOf(header.clock),
    children: [caused],
  };
}

/** What a command's origin means, where it was not simply asked for. */
const ORIGINS: Readonly<Record<string, string>> = {
  request: ": a request waited for the machine",
  autostop: ": nobody had wanted the machine for its autostop time",
  launch: ": it was created in order to run",
  "launch-failed": ": it could not be made",
  runtime: ": its process ended by itself",
  daily: ": the snapshot of the day",
  retention: ": the snapshot's time is over",
};

/** Inputs that the tree shows elsewhere, or that say nothing to people. */
const UNTOLD = new Set([
  "machineId",
  "volumeId",
  "snapshotId",
  "hostId",
  "atMs",
  "origin",
  "outcome",
  "attemptKey",
  "error",
  "keyHash",
  "requestHash",
]);
const MOST = 300;

function inputsText(inputs: Readonly<Record<string, unknown>>): string {
  const told = Object.entries(inputs).filter(([name, value]) => !UNTOLD.has(name) && value !== undefined);
  const text = told
    .map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(" ");
  return text.length > MOST ? `${text.slice(0, MOST - 1)}…` : text;
}

function actCause(act: Act): Cause {
  const [first, ...rest] = act.told;
  const children = act.children.map(commandCause);
  if (isPlacement(first!.event)) return placementCause(first!.event, children);
  if (act.operation === undefined) return eventCause(first!, children);
  return operationCause(act, first!, rest, children);
}

function operationCause(act: Act, first: Told, rest: readonly Told[], children: readonly Cause[]): Cause {
  const operation = act.operation!;
  const follow = act.children.map(beginningOf).filter((event) => isFollowUp(event, operation.id));
  const last = act.told.at(-1)!.event;
  const isOver = follow.length > 0 || (rest.length > 0 && endsIt(last));
  const [end] = follow.length > 0 ? follow : [last];
  const atMs = wallMsOf(first.event.header.clock);
  const durationMs = wallMsOf(end!.header.clock) - atMs;
  const own = act.told.map(({ event }) => event);
  return {
    kind: "operation",
    title: `${operation.kind}: ${isOver ? "over" : "under way"} (${first.event.type})${exitText(first.event)}`,
    detail: `operation ${operation.id}`,
    ...{ atMs, ...(isOver ? { durationMs } : {}), event: eventRef(first.event) },
    children: [
      ...routeCauses(first),
      ...stepCauses(operation, atMs, [...own.slice(1), ...follow]),
      ...rest.filter(({ event }) => endsIt(event)).map((told) => eventCause(told, [])),
      ...children,
    ],
  };
}

function isFollowUp(event: RecordedEvent, operationId: string): boolean {
  return (
    operationIdOf(event) === operationId ||
    ("operation" in event.data && event.data.operation?.parentId === operationId)
  );
}

/** A step's outcome leaves the operation going on; everything else that belongs to it ends it. */
function endsIt({ type }: RecordedEvent): boolean {
  return !/^(Volume)?Step(Completed|Failed)$/.test(type);
}

function exitText(event: RecordedEvent): string {
  if (event.type !== "MachineExited") return "";
  const { exit, next } = event.data;
  const signal = exit.guest_signal === 0 ? "" : `, signal ${exit.guest_signal}`;
  const oom = exit.oom_killed ? ", out of memory" : "";
  return `: exit ${exit.exit_code}${signal}${oom}; it is ${NEXT[next]}`;
}

const NEXT = {
  stopping: "left stopped, as its restart policy says",
  restarting: "restarted, as its restart policy says",
  destroying: "destroyed, as its config says",
} as const;

export function eventCause(told: Told, children: readonly Cause[]): Cause {
  const { event, unfolded } = told;
  const words = summaryOf(event);
  return {
    kind: event.type.endsWith("Refused") ? "refusal" : "event",
    title: words === "" ? event.type : `${event.type}: ${words}`,
    ...(unfolded === undefined ? {} : { detail: `set aside, it cannot be folded: ${unfolded}` }),
    atMs: wallMsOf(event.header.clock),
    event: eventRef(event),
    children: [...routeCauses(told), ...children],
  };
}

/** What routers know otherwise from an event on. */
function routeCauses({ event, changes }: Told): Cause[] {
  const state = changes.find(({ path }) => path === "route.state");
  if (state === undefined) return [];
  const host = changes.find(({ path }) => path === "route.host")?.after;
  const title = routeText(state.before, state.after, host);
  if (title === undefined) return [];
  return [{ kind: "route", title, atMs: wallMsOf(event.header.clock), event: eventRef(event), children: [] }];
}

function routeText(
  before: Fact | undefined,
  after: Fact | undefined,
  host: Fact | undefined,
): string | undefined {
  if (after === "started") return `routers send requests to it${host === undefined ? "" : ` on ${host}`}`;
  if (after === undefined) return "routers know no way to it any more";
  if (before === "started") return `routers send it no requests: it is ${after}`;
  return after === "stopped" || after === "suspended" ? `routers wake it for the next request` : undefined;
}
