import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import {
  decodeEvent,
  type EncodedEvent,
  type HostLogEvent,
  hostEvents,
  machineEvents,
  volumeEvents,
} from "#contracts";
import { canonicalHash, wallMsOf } from "#kernel";
import { evolveHost } from "../evolve.ts";
import { emptyHost, HOST_FOLD_VERSION, hostToJson } from "../state.ts";
import type { GoldenLog } from "./history.ts";

const DIRECTORY = new URL("./", import.meta.url);

function fold(events: readonly EncodedEvent[]): string {
  const host = emptyHost();
  for (const [index, { subject, headers, body }] of events.entries()) {
    const decoded = decodeEvent({
      subject,
      header: (name) => headers[name],
      body: new TextEncoder().encode(body),
      sequence: index + 1,
    });
    if (decoded.kind === "bad") throw new Error(`event ${index + 1}: ${decoded.detail}`);
    evolveHost(host, decoded.event as HostLogEvent, wallMsOf(decoded.event.header.clock));
  }
  return canonicalHash(hostToJson(host));
}

const files = readdirSync(DIRECTORY).filter((name) => name.endsWith(".json"));
const read = (name: string): GoldenLog => JSON.parse(readFileSync(new URL(name, DIRECTORY), "utf8"));

describe("I4: a log of some day", () => {
  it.each(files)("%s still folds to the same state", (name) => {
    const { hashes, events } = read(name);
    expect(fold(events)).toBe(hashes[HOST_FOLD_VERSION]);
  });

  it("holds all that a host can tell of at present", () => {
    const told = new Set(files.flatMap((name) => read(name).events.map(({ body }) => JSON.parse(body).type)));
    const types = [machineEvents, volumeEvents, hostEvents].flatMap((events) => Object.keys(events));
    const untold = types.filter((type) => !told.has(type));
    // No operation on a volume has more than one step yet.
    expect(untold).toEqual(["MachineReleased", "VolumeStepCompleted"]);
  });
});
