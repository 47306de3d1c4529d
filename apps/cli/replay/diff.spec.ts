import { describe, expect, it } from "@jest/globals";
import type { Diff, EntityDiff, EventRef } from "#replay";
import { diffText } from "./diff.ts";

const AT = 1_764_000_000_000;
const web = { kind: "machine", id: "m1" } as const;
const event: EventRef = {
  ...{ id: "E1", type: "MachineStopped", log: "L", sequence: 2, atMs: AT, actor: "token:ann" },
  ...{ correlationId: "R", causationId: "R", about: [web] },
};

function textOf(entities: readonly EntityDiff[], more: Partial<Diff> = {}, showsAll = false): string[] {
  const from = { position: {}, atMs: 0 };
  const to = { position: { L: 2 }, atMs: AT };
  return diffText({ from, to, swapped: false, entities, ...more }, showsAll).split("\n");
}

describe("a diff as text", () => {
  it("tells of each thing in a sentence, and of each change with its event", () => {
    const change = { entity: web, path: "state", before: "started", after: "stopped", event };
    expect(
      textOf([{ entity: web, kind: "changed", title: "web started → stopped", changes: [change] }]),
    ).toEqual([
      "from before the first event",
      "to   2025-11-24T16:00:00.000Z  L:2",
      "",
      "web started → stopped",
      "  FIELD  BEFORE → AFTER     EVENT           ID  TIME                      ACTOR",
      "  state  started → stopped  MachineStopped  E1  2025-11-24T16:00:00.000Z  token:ann",
    ]);
  });

  it("tells of what is new by the events that made it, and by each field when all is asked for", () => {
    const changes = ["app", "host", "name", "state"].map((path) => ({
      entity: web,
      path,
      after: "x",
      event,
    }));
    const appeared = { entity: web, kind: "appeared", title: "web appeared", changes } as const;
    expect(textOf([appeared]).at(-1)).toMatch(/^ {2}MachineStopped {2}E1 .* app and 3 more$/);
    expect(textOf([appeared], {}, true)).toHaveLength(9);
  });

  it("says when nothing is otherwise, and when the moments were given the later one first", () => {
    expect(textOf([]).at(-1)).toBe("Nothing is otherwise.");
    expect(textOf([], { swapped: true })[0]).toContain("the later one");
  });
});
