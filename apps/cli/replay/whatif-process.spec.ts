import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { SimulatedFleet } from "#testing";
import { ListedHistory, Timeline } from "#timeline";
import { whatifWithModules } from "./whatif-process.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-whatif-"));
});
afterAll(() => rm(folder, { recursive: true }));

function timeline(): Timeline {
  const fleet = new SimulatedFleet(9);
  fleet.join("h1");
  for (let moment = 0; moment < 60; moment += 1) fleet.live();
  return new Timeline({ history: new ListedHistory(fleet.events()), onUnreadable: () => undefined });
}

/** Lives through it with a module of that text. */
async function suppose(text: string, words: string[] = [], name = "decider.ts") {
  const module = join(folder, name);
  await writeFile(module, text);
  const dist = resolve("dist");
  const onWords = (line: string) => words.push(line);
  return whatifWithModules(timeline(), {}, { modules: [module], dist, onWords }, {});
}

describe("what-if with a module", () => {
  it("asks the module's decider, which may ask this project's", async () => {
    const same = `export { decideHost } from "#hosts";`;
    expect(await suppose(same)).toMatchObject({ divergences: [], notReplayable: {} });
    const stingy = `
      import { decideHost as present, type HostCommand, type Host } from "#hosts";
      export function decideHost(command: HostCommand, host: Host) {
        console.log("asked", command.type);
        if (command.type !== "ReserveMachine") return present(command, host);
        return { kind: "refused", refusal: { code: "busy", message: "not today" } };
      }`;
    const words: string[] = [];
    const { divergences } = await suppose(stingy, words);
    expect(divergences).toMatchObject([
      { event: { type: "ReservationMade" }, instead: { kind: "refused", refusal: { message: "not today" } } },
    ]);
    expect(words.join("\n")).toContain("asked ReserveMachine");
  });

  it.each([
    ["import { connect } from 'node:net';", /may not import node:net/],
    ["import { writeFileSync } from 'fs';", /may not import fs/],
    ["import { spawn } from 'node:child_process';", /may not import node:child_process/],
    ["import { readControl } from '#event-log';", /may not import #event-log/],
    ["await fetch('http://127.0.0.1:1');", /fetch is not defined/],
    ["process.getBuiltinModule('node:net');", /getBuiltinModule is not a function/],
    ["export const other = 1;", /exports none of decideHost, decideControl, rank/],
    ["this is no module", /Expected|Unexpected|expected/],
    ["throw new Error('at once');", /at once/],
    ["process.exit(3);", /process ended \(3\)/],
  ])("lets it do nothing else: %s", async (text, problem) => {
    const name = `bad-${problem.source.length}-${text.length}.ts`;
    await expect(suppose(`${text}\nexport const decideHost = undefined;`, [], name)).rejects.toThrow(problem);
  });

  it("shows a decider that fails as what it is", async () => {
    const text = "export function decideHost() { throw new Error('out of its depth'); }";
    const { divergences } = await suppose(text, [], "failing.ts");
    expect(divergences).toMatchObject([{ instead: { kind: "threw", message: "Error: out of its depth" } }]);
  });
});
