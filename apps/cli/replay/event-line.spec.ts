import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import type { NewEvent } from "#contracts";
import { eventLine } from "./event-line.ts";

const golden = new URL("../../../libs/contracts/golden/", import.meta.url);

function sample(file: string): NewEvent {
  return (JSON.parse(readFileSync(new URL(file, golden), "utf8")) as { event: NewEvent }).event;
}

const lineOf = (event: NewEvent) => eventLine({ ...event, log: "01JDHOSTLOG000000000ABCDEF", sequence: 7 });

describe("an event as a line", () => {
  it.each(readdirSync(golden).filter((file) => /^[A-Z]\w+\.v\d+\.json$/.test(file)))(
    "is one for %s",
    (file) => {
      const event = sample(file);
      const line = lineOf(event);
      expect(line).toMatch(/^20\d\d-\d\d-\d\dT[\d:.]+Z {2}ABCDEF:7/);
      expect(line).toContain(` ${event.type} `);
      expect(line).toMatch(/\[token:tok-1\]$/);
      expect(line).not.toMatch(/\n|undefined|\[object/);
    },
  );

  it("tells what a process ended with", () => {
    const event = sample("MachineExited.v1.json");
    expect(lineOf(event)).toContain("host-a/d891234f0a2b3c");
    expect(lineOf(event)).toMatch(/exit=\d+/);
  });

  it("tells which hosts a place was chosen from, by what scores, and who said no", () => {
    expect(lineOf(sample("PlacementDecided.v2.json"))).toContain(
      "candidates=host-a:0.75 refused=host-b:insufficient_capacity",
    );
  });

  it("shows control characters of a message and does not obey them", () => {
    const event = sample("MachineLaunchFailed.v1.json");
    const data = { ...event.data, error: { code: "x", message: "two\nlines\u001b[2J" } };
    expect(lineOf({ ...event, data } as NewEvent)).toContain("two\\x0alines\\x1b[2J");
  });
});
