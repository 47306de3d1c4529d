import { type EncodedEvent, encodeEvent } from "../codec.ts";
import type { EventType, NewEvent } from "../event.ts";
import { controlEvents } from "../events/control.ts";
import { hostEvents } from "../events/host.ts";
import { volumeEvents } from "../events/volume.ts";
import { subjects } from "../subjects.ts";
import { VOCABULARY } from "../upcast.ts";
import { SAMPLES } from "./samples.ts";

/** One event type and version as it stands in logs: the message, and the event that it was made from. */
export interface GoldenFile {
  readonly message: EncodedEvent;
  readonly event: NewEvent;
}

/** File name of a type's version: `MachineStarted.v1.json`. */
export function goldenName(type: string, version: number): string {
  return `${type}.v${version}.json`;
}

/** Makes the golden file of a type's current version from its sample. */
export function makeGolden(type: EventType): GoldenFile {
  const id = "01JD0000000000000000000009";
  const event = {
    type,
    data: SAMPLES[type],
    subject: subjectOf(type),
    header: {
      id,
      version: VOCABULARY.currentVersionOf(type),
      clock: "019ab5d7a400-0001",
      causationId: "01JD0000000000000000000008",
      correlationId: "01JD0000000000000000000007",
      actor: "token:tok-1",
    },
    decision: {
      command: "Sample",
      commandId: "01JD0000000000000000000008",
      inputs: { nowMs: 1_764_000_000_000 },
    },
  } as NewEvent;
  const place = type in controlEvents ? { log: "01JDCONTROL" } : { log: "01JDHOST", sequence: 7 };
  return { message: encodeEvent(event, place), event };
}

function subjectOf(type: EventType): string {
  if (type in controlEvents) return subjects.control("app", "sample");
  if (type in volumeEvents) return subjects.volume("host-a", "vol_0123456789abcdef");
  return type in hostEvents ? subjects.host("host-a") : subjects.machine("host-a", "d891234f0a2b3c");
}
