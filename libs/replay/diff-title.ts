import { type Entity, type Fact, type Facts } from "#timeline";
import type { ToldChange } from "./diff-entity.ts";
import { durationText, entityText, exitText, listText, timeText } from "./phrases.ts";

/** An entity at two moments. */
export interface Difference {
  readonly entity: Entity;
  readonly kind: "appeared" | "changed" | "gone";
  /** At the later moment it is not there, or only remembered. */
  readonly isGone: boolean;
  readonly before: Facts;
  readonly after: Facts;
  readonly changes: readonly ToldChange[];
  readonly routeGapMs: number;
}

/** What happened to it, in one sentence. */
export function titleOf(difference: Difference): string {
  const { entity, before, after } = difference;
  const subject = entityText(entity.kind, entity.id, after.name ?? before.name);
  const clauses = clausesOf(difference);
  if (difference.routeGapMs > 0)
    clauses.push(`its route was gone for ${durationText(difference.routeGapMs)}`);
  if (clauses.length > 0) return `${subject} ${clauses.join("; ")}`;
  const paths = listText(difference.changes.map(({ path }) => path));
  return paths === "" ? `${subject} is as it was` : `${subject} has another ${paths}`;
}

function clausesOf(difference: Difference): string[] {
  const { kind, isGone, after, before } = difference;
  if (kind === "appeared" && isGone) return [`came and went${because(difference)}`];
  if (kind === "appeared") return [`appeared${placeText(after)}${stateText(after)}`];
  if (kind === "gone") return [`${goneText(difference)}${placeText(before)}`];
  switch (difference.entity.kind) {
    case "machine":
      return [...moved(difference), ...stateClause(difference), ...machineClauses(difference)];
    case "volume":
      return [...moved(difference), ...stateClause(difference), ...volumeClauses(difference)];
    case "host":
      return hostClauses(difference);
    case "app":
      return appClauses(difference);
    default:
      return stateClause(difference);
  }
}

function goneText({ after, changes }: Difference): string {
  const how = changes.find(({ path }) => path === "state" || path === "host");
  const state = after.state === undefined ? "is gone" : `was ${after.state}`;
  return how === undefined ? state : `${state} by ${how.event.type}`;
}

function because({ after }: Difference): string {
  return after.state === undefined ? "" : `: ${after.state}${withError(after)}`;
}

function placeText({ host }: Facts): string {
  return host === undefined ? "" : ` on ${host}`;
}

function stateText(facts: Facts): string {
  if (facts.size_gb !== undefined) return `, ${facts.size_gb} GB, ${facts.state}`;
  return facts.state === undefined ? "" : `, ${facts.state}${withError(facts)}`;
}

function withError(facts: Facts): string {
  const code = facts["error.code"];
  return code === undefined ? "" : ` (${code}: ${facts["error.message"]})`;
}

function moved({ before, after, changes }: Difference): string[] {
  const change = changes.find(({ path }) => path === "host");
  if (change === undefined) return [];
  return [`moved ${before.host ?? "nowhere"} → ${after.host ?? "nowhere"} by ${change.event.type}`];
}

function stateClause({ before, after, changes }: Difference): string[] {
  if (before.state === after.state) return [];
  const hasEnded = changes.some(({ path }) => path.startsWith("exit."));
  const exit = hasEnded ? exitText(after) : undefined;
  return [`${before.state} → ${after.state}${exit === undefined ? "" : ` (${exit})`}${withError(after)}`];
}

function machineClauses({ before, after, changes }: Difference): string[] {
  const clauses: string[] = [];
  const has = (path: string) => changes.some((change) => change.path === path);
  if (before.state === after.state && before.host === after.host && has("started_at_ms")) {
    const exit = changes.some(({ path }) => path.startsWith("exit.")) ? exitText(after) : undefined;
    clauses.push(`was started anew${exit === undefined ? "" : ` after ${exit}`}`);
  }
  clauses.push(...configClauses(changes));
  if (has("queued")) {
    clauses.push(after.queued === undefined ? `owes no ${before.queued} any more` : `owes a ${after.queued}`);
  }
  if (before.state === after.state && (has("operation.step") || has("operation.attempt"))) {
    const { "operation.kind": kind, "operation.step": step, "operation.attempt": attempt } = after;
    if (kind !== undefined) clauses.push(`its ${kind} is at ${step}, attempt ${attempt}`);
  }
  return clauses;
}

function configClauses(changes: readonly ToldChange[]): string[] {
  const config = changes.filter(({ path }) => path.startsWith("config."));
  if (config.length === 0) return [];
  const each = config.map(({ path, before, after }) => `${path.slice(7)} ${said(before)} → ${said(after)}`);
  return [`has another config: ${listText(each, 3)}`];
}

function said(fact: Fact | undefined): string {
  const text = fact === undefined ? "none" : String(fact);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function volumeClauses({ before, after }: Difference): string[] {
  const clauses: string[] = [];
  if (before.size_gb !== after.size_gb) clauses.push(`grew ${before.size_gb} → ${after.size_gb} GB`);
  const [was, is] = [before.attached_machine, after.attached_machine];
  if (was !== is && was !== undefined) clauses.push(`was detached from machine ${was}`);
  if (was !== is && is !== undefined) clauses.push(`was attached to machine ${is}`);
  return clauses;
}

function hostClauses({ before, after }: Difference): string[] {
  const clauses = cordonClauses(before, after);
  const differs = (path: string) => before[path] !== after[path];
  if (differs("log")) clauses.push(`went on in log ${after.log}`);
  if (differs("boot") && before.boot !== "") clauses.push("was booted");
  if (differs("agent_epoch")) {
    clauses.push(`has a new agent (epoch ${before.agent_epoch ?? 0} → ${after.agent_epoch})`);
  }
  const amounts = AMOUNTS.filter(([path]) => differs(path)).map(
    ([path, name]) => `${name} ${before[path] ?? 0} → ${after[path] ?? 0}`,
  );
  if (amounts.length > 0) clauses.push(amounts.join(", "));
  return clauses;
}

const AMOUNTS = [
  ["capacity.memoryMib", "memory (MiB)"],
  ["capacity.cpuMillis", "CPU millis"],
  ["capacity.volumeMib", "room for volumes (MiB)"],
  ["machines", "machines"],
  ["promised.memoryMib", "promised memory (MiB)"],
  ["promised.volumeMib", "promised to volumes (MiB)"],
] as const;

function cordonClauses(before: Facts, after: Facts): string[] {
  const [was, is] = [cordonText(before), cordonText(after)];
  if (was === is) return [];
  return [is === undefined ? "was uncordoned" : `was cordoned ${is}`];
}

/** "by ann until …: new disk". Undefined without a cordon. */
function cordonText(facts: Facts): string | undefined {
  const owner = facts["cordon.owner"];
  if (owner === undefined) return undefined;
  return `by ${owner} until ${timeText(facts["cordon.expiresAtMs"])}: ${facts["cordon.reason"]}`;
}

function appClauses({ before, after, changes }: Difference): string[] {
  const clauses: string[] = [];
  if (before.deleted !== after.deleted)
    clauses.push(after.deleted === true ? "was deleted" : "was made anew");
  for (const { path, after: has } of changes) {
    if (!path.startsWith("hostname.")) continue;
    clauses.push(`${has === undefined ? "lost" : "got"} the hostname ${path.slice("hostname.".length)}`);
  }
  return clauses;
}
