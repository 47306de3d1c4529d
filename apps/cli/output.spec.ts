import { mkdir } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import { RefusedError, refusal } from "#kernel";
import { age, errorJson, errorLine, table } from "./output.ts";

describe("a table", () => {
  it("pads all columns but the last, and ends no line with a space", () => {
    expect(table(["A", "LONGER", "C"], [["wide cell", "x", ""]])).toBe("A          LONGER  C\nwide cell  x");
  });

  it("counts columns of the terminal, not characters of the text", () => {
    const lines = table(
      ["NAME", "X"],
      [
        ["日本", "1"],
        ["n\u0303u", "2"],
        ["🚀", "3"],
      ],
    ).split("\n");
    expect(lines).toEqual(["NAME  X", "日本  1", "n\u0303u    2", "🚀    3"]);
  });

  it("keeps every row on one line, whatever a guest put into a cell", () => {
    expect(table(["A"], [["two\nlines\u001b[31m\u009b1m"]])).toBe("A\ntwo\\x0alines\\x1b[31m\\x9b1m");
  });

  it("stays quick with very many machines", () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => [`machine-${index}`, "started"]);
    expect(table(["NAME", "STATE"], rows).split("\n")).toHaveLength(200_001);
  });
});

describe("an error", () => {
  it("is its first line that says something", () => {
    expect(errorLine(new Error("\n\nfirst\nsecond"))).toBe("first");
    expect(errorLine(new AggregateError([], ""))).toBe("AggregateError");
    expect(errorLine("thrown text\u001b")).toBe("thrown text\\x1b");
  });

  it("of the operating system says what to do, and where", async () => {
    const thrown = await mkdir("/proc/self/status/x").catch((error: unknown) => error);
    expect(errorLine(thrown)).toBe(
      "/proc/self/status/x: has a file where a folder must be: name another place",
    );
    expect(errorLine(Object.assign(new Error("write"), { code: "ENOSPC" }))).toMatch(/^ENOSPC: no space/);
  });

  it("as JSON has its code and what the decision saw", () => {
    const thrown = new RefusedError(refusal("port_taken", "port 80 is taken", { details: { port: 80 } }));
    expect(JSON.parse(errorJson(thrown))).toEqual({
      error: "port 80 is taken",
      status: "port_taken",
      details: { port: 80 },
    });
    expect(JSON.parse(errorJson(new Error("broken")))).toEqual({ error: "broken", status: "error" });
  });
});

describe("an age", () => {
  it.each([
    [0, "0s"],
    [-5_000, "0s"],
    [119_000, "119s"],
    [7_199_000, "119m"],
    [172_799_000, "47h"],
    [1e10, "115d"],
  ])("of %d ms is %s", (ms, text) => {
    expect(age(1_000_000, 1_000_000 + ms)).toBe(text);
  });
});
