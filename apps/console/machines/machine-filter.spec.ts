import { describe, expect, it } from "@jest/globals";
import type { LiveFacts } from "../history/facts.ts";
import { machineRows } from "./machine-filter.ts";

const MACHINES = new Map<string, LiveFacts>([
  ["a1", { name: "web-2", app: "shop", state: "started", host: "host-1" }],
  ["a2", { name: "web-10", app: "shop", state: "stopped", host: "host-2", "exit.exit_code": 137 }],
  ["a3", { name: "db", app: "shop", state: "starting", host: "host-2", "operation.attempt": 3 }],
  ["a4", { name: "old", app: "blog", state: "destroyed", host: "host-1" }],
  ["a5", { name: "job", app: "blog", state: "stopped", host: "host-1", "exit.exit_code": 0 }],
  ["a6", { name: "api", app: "blog", state: "failed", host: "host-1" }],
]);

describe("the search for machines", () => {
  it.each([
    ["", ["api", "db", "job", "web-2", "web-10"]],
    ["web", ["web-2", "web-10"]],
    ["A5", ["job"]],
    ["shop host-2", ["db", "web-10"]],
    ["host:host-1 state:stopped", ["job"]],
    ["crashed", ["api", "web-10"]],
    ["stuck", ["db"]],
    ["destroyed", ["old"]],
    ["nothing", []],
  ])("finds for %j", (search, names) => {
    expect(machineRows(MACHINES, search).map(({ name }) => name)).toEqual(names);
  });
});
