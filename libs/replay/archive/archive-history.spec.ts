import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import { fleetHash } from "#fleet";
import { canonicalJson } from "#kernel";
import { ListedHistory, Timeline, World } from "#timeline";
import { livedFleet, momentOf } from "../fleets.fixture.ts";
import { ArchiveHistory } from "./archive-history.ts";
import { baseOf } from "./base-parts.ts";
import { boundedLines, isNestedDeeper } from "./bounded-lines.ts";
import { archiveText } from "./write-archive.ts";

async function allOf(batches: AsyncIterable<readonly RecordedEvent[]>): Promise<RecordedEvent[]> {
  const all: RecordedEvent[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

function timelineOf(history: ConstructorParameters<typeof Timeline>[0]["history"]): Timeline {
  return new Timeline({ history, onUnreadable: () => undefined });
}

const EVENTS = livedFleet(4, 120).events();
const WHOLE = await archiveText({ of: "everything" }, EVENTS);

/** The archive with one line changed, and whatever that makes it. */
function withLine(number: number, change: (line: string) => string): string {
  const lines = WHOLE.split("\n");
  lines[number - 1] = change(lines[number - 1]!);
  return lines.join("\n");
}

async function problemOf(text: string): Promise<string> {
  const opened = ArchiveHistory.ofText(text);
  return opened.then(
    () => "it is accepted",
    (error: Error) => error.message,
  );
}

describe("an archive", () => {
  it("gives back the very events, and answers as the history that it was made of", async () => {
    const archive = await ArchiveHistory.ofText(WHOLE);
    expect(await allOf(archive.ordered())).toEqual(EVENTS);
    expect(archive.archive).toMatchObject({ events: EVENTS.length, unreadable: [] });
    const listed = new ListedHistory(EVENTS);
    expect(await archive.end()).toEqual(await listed.end());
    for (const event of [EVENTS[3]!, EVENTS[40]!, EVENTS.at(-1)!]) {
      const moment = momentOf(event);
      const [there, here] = await Promise.all([listed, archive].map((one) => timelineOf(one).at(moment)));
      expect(fleetHash(here!.view)).toBe(fleetHash(there!.view));
      expect(await archive.event(event.header.id)).toEqual(event);
    }
    expect(await archive.event("nothing")).toBeUndefined();
  });

  it("begins anywhere, with the state before it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(EVENTS.length), async (begin) => {
        const world = new World();
        for (const event of EVENTS.slice(0, begin)) world.apply(event);
        const text = await archiveText({ of: "the rest", base: baseOf(world) }, EVENTS.slice(begin));
        const archive = await ArchiveHistory.ofText(text);
        const end = await timelineOf(archive).at({ kind: "now" });
        for (const event of EVENTS.slice(begin)) world.apply(event);
        expect(fleetHash(end.view)).toBe(fleetHash(world.view));
        expect(end.position).toEqual(world.position);
        expect(end.nowMs).toBe(world.nowMs);
        // Asked twice, it answers the same: nobody changed what it begins with.
        expect(fleetHash((await timelineOf(archive).at({ kind: "now" })).view)).toBe(fleetHash(end.view));
      }),
      { numRuns: 12 },
    );
  });

  it("sets aside an event that this release cannot read, and applies the rest (I10)", async () => {
    const [first, second, ...rest] = EVENTS;
    const newer = { ...second!, header: { ...second!.header, version: 99 } };
    const odd = { ...rest[5]!, data: { surprising: true } } as unknown as RecordedEvent;
    const text = await archiveText({ of: "odd" }, [
      first!,
      newer,
      ...rest.slice(0, 5),
      odd,
      ...rest.slice(6),
    ]);
    const told: string[] = [];
    const archive = await ArchiveHistory.ofText(text, (place, reason) => told.push(`${place} ${reason}`));
    expect(told).toEqual([
      expect.stringMatching(/:\d+ HostLogOpened 99 is newer than 1$/),
      expect.stringContaining(`${odd.log}:${odd.sequence} ${odd.type}: `),
    ]);
    expect((await allOf(archive.ordered())).length).toBe(EVENTS.length - 2);
  });
});

describe("a file that is not what was written is refused, with its line", () => {
  const swapped = WHOLE.split("\n");
  const [a, b] = [swapped.length - 4, swapped.length - 3];
  [swapped[a], swapped[b]] = [swapped[b]!, swapped[a]!];
  const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

  it.each([
    ["nothing", "", /line 1: it is empty/],
    ["another file", "root:x:0:0:root:/root:/bin/bash\n", /line 1: it is no archive/],
    ["other JSON", '{"events":[]}\n', /line 1: it is no archive/],
    ["a later format", withLine(1, (line) => line.replace('"format":1', '"format":2')), /format is 2.*newer/],
    ["a header with more", withLine(1, (line) => line.replace("{", '{"x":1,')), /line 1: .*x/],
    ["a line changed", withLine(9, (line) => line.replace('"simulated"', '"Simulated"')), /checksum/],
    ["a line left out", WHOLE.split("\n").toSpliced(8, 1).join("\n"), /counts \d+ events/],
    [
      "a line twice",
      WHOLE.split("\n").toSpliced(8, 0, WHOLE.split("\n")[8]!).join("\n"),
      /line 10: .*already/,
    ],
    ["a line that is no JSON", withLine(5, () => "{"), /line 5: it is not JSON/],
    ["a line that is no event", withLine(5, () => "{}"), /line 5: no event: type/],
    ["an empty line", withLine(5, () => ""), /line 5: it is not JSON/],
    ["its end missing", WHOLE.slice(0, WHOLE.lastIndexOf('{"end"')), /cut short/],
    ["its last line cut", WHOLE.slice(0, -20), /it is not JSON/],
    ["more after its end", `${WHOLE}{}\n`, /comes after the last line/],
    ["nesting without end", withLine(5, () => nested), /line 5: it is nested deeper/],
    ["nesting in place of a header", `${nested}\n`, /line 1: it is nested deeper/],
    [
      "a state that is none",
      withLine(1, (line) => line.replace('"parts":0', '"parts":1')),
      /line 2: no part/,
    ],
    ["a bad subject", withLine(5, (line) => line.replace('"evt.', '"cmd.')), /line 5: no event: subject/],
  ])("%s", async (_, text, problem) => {
    expect(await problemOf(text)).toMatch(problem);
  });

  it("two events of one log that changed places", async () => {
    const [one, other] = EVENTS.filter(({ log }) => log === EVENTS[0]!.log);
    const text = await archiveText({ of: "turned round" }, [other!, one!]);
    expect(await problemOf(text)).toMatch(/line 3: .* comes after .*: each log has to be in order/);
  });

  it("a line that goes on and on, without being read to its end", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        given += 1;
        yield Buffer.alloc(1024 * 1024, 0x20);
      }
    }
    const opened = ArchiveHistory.from({ name: "big", open: endless }, () => undefined);
    await expect(opened).rejects.toThrow(/big, line 1: it is longer than 1048576 bytes/);
    expect(given).toBeLessThan(4);
  });

  it("whatever else it is: as a refusal, never as a crash", async () => {
    const lines = WHOLE.split("\n").slice(0, 30);
    await fc.assert(
      fc.asyncProperty(fc.nat(lines.length - 1), fc.jsonValue(), async (at, value) => {
        const text = lines.toSpliced(at, 1, JSON.stringify(value)).join("\n");
        await expect(ArchiveHistory.ofText(text)).rejects.toMatchObject({ name: "RefusedError" });
      }),
    );
  });
});

describe("lines", () => {
  it("are the same however the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.stringMatching(/^[a-c\n]{0,9}$/)), async (pieces) => {
        async function* chunks(): AsyncGenerator<Buffer> {
          for (const piece of pieces) yield Buffer.from(piece);
        }
        const read: string[] = [];
        for await (const { bytes } of boundedLines(chunks(), () => 1_000)) read.push(bytes.toString());
        const text = pieces.join("");
        expect(read).toEqual(
          text.endsWith("\n") || text === "" ? text.split("\n").slice(0, -1) : text.split("\n"),
        );
      }),
    );
  });

  it("are measured in depth as JSON is nested", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const depthOf = (of: unknown): number =>
          of === null || typeof of !== "object" ? 0 : 1 + Math.max(0, ...Object.values(of).map(depthOf));
        const json = Buffer.from(canonicalJson(value));
        expect(isNestedDeeper(json, depthOf(value))).toBe(false);
        if (depthOf(value) > 0) expect(isNestedDeeper(json, depthOf(value) - 1)).toBe(true);
      }),
    );
  });
});
