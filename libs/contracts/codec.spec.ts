import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { decodeEvent, type EncodedEvent, encodeEvent, type StoredMessage } from "./codec.ts";
import type { NewEvent } from "./event.ts";
import { type GoldenFile, goldenName, makeGolden } from "./golden/golden-file.ts";
import { EventVocabulary, VOCABULARY } from "./upcast.ts";

const DIRECTORY = new URL("./golden/", import.meta.url);

function golden(name: string): GoldenFile {
  return JSON.parse(readFileSync(new URL(name, DIRECTORY), "utf8"));
}

function stored(message: EncodedEvent, sequence = 7): StoredMessage {
  return {
    subject: message.subject,
    header: (name) => message.headers[name],
    body: new TextEncoder().encode(message.body),
    sequence,
  };
}

const files = readdirSync(DIRECTORY).filter((name) => /\.v\d+\.json$/.test(name));

describe("golden files", () => {
  it("exist for every version of every type", () => {
    const wanted = VOCABULARY.types().flatMap((type) =>
      Array.from({ length: VOCABULARY.currentVersionOf(type) }, (_, index) => goldenName(type, index + 1)),
    );
    expect(files.sort()).toEqual(wanted.sort());
  });

  it.each(files)("%s is still read", (name) => {
    const { message, event } = golden(name);
    const decoded = decodeEvent(stored(message), { deep: true });
    if (decoded.kind === "bad") throw new Error(decoded.detail);
    expect(decoded.event.sequence).toBe(7);
    expect(decoded.event.header.version).toBe(VOCABULARY.currentVersionOf(event.type));
    if (event.header.version !== decoded.event.header.version) return;
    const { log, sequence, ...read } = decoded.event;
    expect(read).toEqual(event);
    // An event's data may have a sequence, too.
    const written = "sequence" in JSON.parse(message.body) ? { sequence } : {};
    expect(encodeEvent(decoded.event, { log, ...written })).toEqual(message);
  });
});

describe("a config of before volumes", () => {
  it("is read, whatever it mounts: it was kept as given", () => {
    const { event } = makeGolden("MachineCreating");
    const config = { image: "a", mounts: [{ volume: "vol_1" }] };
    const given = { ...event, data: { ...event.data, config } } as NewEvent;
    const message = encodeEvent(given, { log: "L", sequence: 7 });
    expect(decodeEvent(stored(message), { deep: true })).toMatchObject({ event: { data: { config } } });
  });
});

describe("decodeEvent", () => {
  const { message } = makeGolden("MachineStarted");

  it("F18: names an event in which any one bit of the body flipped", () => {
    const original = stored(message);
    for (let bit = 0; bit < original.body.length * 8; bit += 5) {
      const body = original.body.slice();
      body[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeEvent({ ...original, body })).toMatchObject({
        kind: "bad",
        reason: "checksum",
        subject: message.subject,
        sequence: 7,
      });
    }
  });

  it("F18: notices a copy under another subject", () => {
    expect(decodeEvent({ ...stored(message), subject: "evt.host.host-b.host" })).toMatchObject({
      kind: "bad",
      reason: "checksum",
      log: "01JDHOST",
      type: "MachineStarted",
    });
  });

  it("F18: refuses a copy at another sequence", () => {
    expect(decodeEvent(stored(message, 8))).toMatchObject({ kind: "bad", reason: "misplaced", sequence: 8 });
  });

  it("takes the place from the message itself on the live feed", () => {
    const { sequence: _, ...live } = stored(message);
    expect(decodeEvent(live)).toMatchObject({ kind: "event", event: { sequence: 7, log: "01JDHOST" } });
  });

  it.each(["", "{}", "null", '{"data":{}}'])("calls %j from somebody else foreign", (text) => {
    const body = new TextEncoder().encode(text);
    const foreign = { subject: "evt.x", header: () => undefined, body, sequence: 1 };
    expect(decodeEvent(foreign)).toMatchObject({ kind: "bad", reason: "foreign", sequence: 1 });
  });

  it("refuses data that do not match the schema, when asked to look", () => {
    const loose = new EventVocabulary({ MachineStarted: z.unknown() }, {});
    const odd = { ...makeGolden("MachineStarted").event, data: { machineId: 7 } } as unknown as NewEvent;
    const written = stored(encodeEvent(odd, { log: "01JDHOST", sequence: 7 }, loose));
    expect(decodeEvent(written, { deep: true })).toMatchObject({ kind: "bad", reason: "invalid" });
  });
});

describe("encodeEvent", () => {
  const { event } = makeGolden("MachineStarted");
  const place = { log: "01JDHOST", sequence: 1 };

  it("throws on data that do not match the schema", () => {
    expect(() => encodeEvent({ ...event, data: {} } as unknown as NewEvent, place)).toThrow("schema");
  });

  it("throws on a header with control characters", () => {
    const header = { ...event.header, correlationId: "x\r\ny" };
    expect(() => encodeEvent({ ...event, header }, place)).toThrow("printable");
  });

  it("throws on a version that it does not write", () => {
    expect(() => encodeEvent({ ...event, header: { ...event.header, version: 2 } }, place)).toThrow(
      "version",
    );
  });
});

describe("F05: old and new code side by side", () => {
  const old = new EventVocabulary({ Named: z.strictObject({ name: z.string() }) }, {});
  const renamed = z.strictObject({ first: z.string() });
  const fresh = new EventVocabulary(
    { Named: renamed },
    { Named: [(data) => ({ first: Object(data).name })] },
  );
  const header = { ...makeGolden("MachineStarted").event.header };
  const named = (data: unknown, version: number) =>
    ({ type: "Named", data, subject: "evt.x", header: { ...header, version } }) as unknown as NewEvent;

  it("new code upcasts what old code wrote", () => {
    const written = stored(encodeEvent(named({ name: "a" }, 1), { log: "L", sequence: 7 }, old));
    const read = decodeEvent(written, { vocabulary: fresh });
    expect(read).toMatchObject({ kind: "event", event: { data: { first: "a" }, header: { version: 2 } } });
  });

  it("old code sets aside what new code wrote, by name", () => {
    const written = stored(encodeEvent(named({ first: "a" }, 2), { log: "L", sequence: 7 }, fresh));
    expect(decodeEvent(written, { vocabulary: old })).toMatchObject({
      reason: "newer_version",
      type: "Named",
    });
  });

  it("an upcast that throws makes one bad event", () => {
    const broken = new EventVocabulary({ Named: renamed }, { Named: [() => JSON.parse("{")] });
    const written = stored(encodeEvent(named({ name: "a" }, 1), { log: "L", sequence: 7 }, old));
    expect(decodeEvent(written, { vocabulary: broken })).toMatchObject({ reason: "upcast_failed" });
  });
});
