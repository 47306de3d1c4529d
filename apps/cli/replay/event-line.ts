import type { RecordedEvent } from "#contracts";
import { wallMsOf } from "#kernel";
import { summaryOf } from "#timeline";
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
