import type { Cause, Explanation, Waiting } from "#replay";
import { harmless } from "../output.ts";

/** An explanation for people: the causes as a tree, each with its time since the first one; then what is waited for. */
export function explanationText({ headline, causes, stuck }: Explanation): string {
  const lines = [headline];
  for (const cause of causes) lines.push("", ...treeLines(cause));
  if (stuck.length > 0) lines.push("", "It waits for:", ...stuck.flatMap(waitingLines));
  return lines.map(harmless).join("\n");
}

/** Offsets count from where the tree begins. */
function treeLines(root: Cause): string[] {
  const startMs = firstMs(root);
  const lines: string[] = [];
  const visit = (cause: Cause, depth: number) => {
    const indent = "  ".repeat(depth);
    lines.push(
      `${offsetText(cause.atMs, startMs)}  ${indent}${cause.title}${tookText(cause)}${eventText(cause)}`,
    );
    if (cause.detail !== undefined) lines.push(`${" ".repeat(OFFSET)}  ${indent}  ${cause.detail}`);
    for (const child of cause.children) visit(child, depth + 1);
  };
  if (startMs !== undefined) lines.push(`From ${new Date(startMs).toISOString()} on:`);
  visit(root, 0);
  return lines;
}

const OFFSET = 13;

function firstMs({ atMs, children }: Cause): number | undefined {
  const times = [atMs, ...children.map(firstMs)].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

function offsetText(atMs: number | undefined, startMs: number | undefined): string {
  if (atMs === undefined || startMs === undefined) return " ".repeat(OFFSET);
  return `+${(atMs - startMs).toFixed(1)} ms`.padStart(OFFSET);
}

function tookText({ durationMs }: Cause): string {
  return durationMs === undefined ? "" : `  [${durationMs.toFixed(1)} ms]`;
}

/** Where it stands, for `replay at` and `replay log`; the trunk of an act shows its event once. */
function eventText({ kind, event }: Cause): string {
  if (event === undefined || kind === "step" || kind === "route") return "";
  return `  (event ${event.id}${event.hostId === undefined ? "" : ` of ${event.hostId}`})`;
}

function waitingLines({ what, sinceMs, because, releasedBy }: Waiting): string[] {
  return [
    `- ${what}, since ${new Date(sinceMs).toISOString()}`,
    `    because ${because}`,
    `    released by ${releasedBy}`,
  ];
}
