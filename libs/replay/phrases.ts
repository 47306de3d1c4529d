import type { Fact, Facts } from "#timeline";

/** "41 ms", "1.5 s", "3 min 20 s", "2 h 5 min". */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms * 10) / 10} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600)];
  if (hours === 0) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** ISO 8601. What is no time is shown as it is. */
export function timeText(atMs: Fact | undefined): string {
  const date = new Date(Number(atMs));
  return Number.isNaN(date.getTime()) ? String(atMs) : date.toISOString();
}

/** "machine web (148e…)" or "host host-1": what an entity is called in a sentence. */
export function entityText(kind: string, id: string, name: Fact | undefined): string {
  return name === undefined || name === id ? `${kind} ${id}` : `${kind} ${name} (${id})`;
}

/** How a process ended: "exit 137, out of memory". Undefined when none did. */
export function exitText(facts: Facts): string | undefined {
  const code = facts["exit.exit_code"];
  if (code === undefined) return undefined;
  const signal = Number(facts["exit.guest_signal"] ?? 0);
  const words = [`exit ${code}`];
  if (signal !== 0) words.push(`signal ${signal}`);
  if (facts["exit.oom_killed"] === true) words.push("out of memory");
  if (facts["exit.requested_stop"] === true) words.push("as asked");
  return words.join(", ");
}

/** "container" → "a container", "operation" → "an operation". */
export function listText(items: readonly string[], most = 4): string {
  if (items.length <= most) return items.join(", ");
  return `${items.slice(0, most).join(", ")} and ${items.length - most} more`;
}
