import type { RecordedEvent } from "#contracts";
import { wallMsOf } from "#kernel";
import { harmless } from "../output.ts";

/** One event as one line for people: when, where it stands, about what, what, why. */
export function eventLine(event: RecordedEvent): string {
  const time = new Date(wallMsOf(event.header.clock)).toISOString();
  const place = `${event.log.slice(-6)}:${event.sequence}`;
  const words = [time, place.padEnd(12), aboutOf(event).padEnd(24), event.type.padEnd(22), summaryOf(event)];
  const actor = event.header.actor === "" ? "" : `  [${event.header.actor}]`;
  return harmless(`${words.join("  ")}${actor}`);
}

/** "host-1/m 3f…": what the event is about, from its subject. */
function aboutOf(event: RecordedEvent): string {
  const [, kind, owner, noun, id] = event.subject.split(".");
  if (kind === "control") return `control/${owner}/${noun}`.slice(0, 40);
  return noun === "machine" || noun === "volume" ? `${owner}/${id}` : `${owner}`;
}

/** The few words that matter of each type. */
export function summaryOf(event: RecordedEvent): string {
  const data = event.data as Record<string, unknown>;
  const words: string[] = [];
  const say = (name: string, value: unknown) => {
    if (value !== undefined && value !== "") words.push(`${name}=${String(value)}`);
  };
  say("app", data.appName);
  say("name", data.name);
  say("host", event.subject.startsWith("evt.control") ? data.hostId : undefined);
  say("epoch", data.epoch);
  say("step", data.step);
  say("attempt", data.attempt);
  say("origin", data.origin);
  say("next", data.next);
  say("intent", data.intent);
  say("command", data.command);
  say("operation", (data.operation as { kind?: string } | undefined)?.kind);
  say("snapshot", data.snapshotId ?? data.sourceSnapshotId);
  say("size", data.sizeGb === undefined ? undefined : `${String(data.sizeGb)}GB`);
  say("exit", (data.exit as { exit_code?: number } | undefined)?.exit_code);
  say("code", data.code ?? (data.error as { code?: string } | undefined)?.code);
  say("candidates", listed(data.candidates, "score"));
  say("refused", event.type.endsWith("PlacementDecided") ? listed(data.refusals, "code") : undefined);
  say("why", data.message ?? data.reason ?? (data.error as { message?: string } | undefined)?.message);
  return words.join(" ");
}

/** "host-1:0.75,host-2:0.5": what is told of each of several hosts, in their order. */
function listed(hosts: unknown, what: string): string {
  const each = (hosts ?? []) as readonly Record<string, unknown>[];
  return each.map((host) => `${String(host.hostId)}:${String(host[what])}`).join(",");
}
