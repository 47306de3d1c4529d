import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { freePort } from "#testing";

const run = promisify(execFile);

/** The commands between the tour's marks, in their order, as they stand in the README. */
async function tour(): Promise<string[]> {
  const readme = await readFile("README.md", "utf8");
  const text = /<!-- tour:.*?-->(.*?)<!-- end of tour -->/s.exec(readme)?.[1] ?? "";
  const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block]) => block!.trim().split("\n"));
  return blocks.filter((line) => line !== "");
}

/**
 * A new user's five minutes: every command of the tour, as written, in one shell after another. Only where the cluster
 * lives and listens is changed, so that the tour can run beside other clusters.
 */
describe("the README's tour", () => {
  let folder: string;
  const replaced = new Map<string, string>();
  const shell = async (line: string): Promise<string> => {
    let command = line;
    for (const [as, instead] of replaced) command = command.replaceAll(as, instead);
    const options = { cwd: folder, maxBuffer: 16 * 1024 * 1024 };
    const { stdout } = await run("bash", ["-ec", command], options).catch((error: { stderr: string }) => {
      throw new Error(`${command}\n${error.stderr}`);
    });
    return stdout;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "drover-tour-"));
    const [api, nats, http] = await Promise.all([freePort(), freePort(), freePort()]);
    const cli = `${process.execPath} ${resolve("dist/apps/cli/main.js")}`;
    // A wrapper that puts the folder's own data directory behind every command that has one.
    await writeFile(join(folder, "drover"), wrapper(cli), { mode: 0o755 });
    replaced.set("localhost:8080", `localhost:${http}`).set("127.0.0.1:4280", `127.0.0.1:${api}`);
    await shell(
      `./drover up --detach --api 127.0.0.1:${api} --nats 127.0.0.1:${nats} --http 127.0.0.1:${http}`,
    );
  }, 180_000);
  afterAll(async () => {
    await shell("./drover down --purge").catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it("works as written", async () => {
    const commands = await tour();
    expect(commands.length).toBeGreaterThan(10);
    for (const command of commands) {
      const printed = await shell(command);
      if (command.startsWith("curl http://hello"))
        expect(printed).toMatch(/^Hello from machine \w+ of app hello!/);
      if (command.startsWith("curl http://tour")) expect(printed).toBe("hello from a machine");
      if (command.startsWith("./drover replay why --request"))
        expect(printed).toMatch(/ms +asked .*ms +first byte/s);
      if (command === "./drover machines") expect(printed).toMatch(/tour +web +started/);
      if (command.startsWith("./drover replay log")) expect(printed).toMatch(/MachineStarted/);
      if (command.startsWith("./drover replay at")) expect(printed).toMatch(/web +started/);
      if (command.startsWith("./drover replay diff")) expect(printed).toMatch(/machine web .* appeared/);
      if (command.startsWith("./drover replay blame")) expect(printed).toMatch(/MachineStarted/);
      if (command === "./drover replay why web") expect(printed).toMatch(/CommitMachine .*MachineStarted/s);
      if (command.startsWith("curl -s -H")) expect(JSON.parse(printed)).toMatchObject([{ name: "web" }]);
    }
  }, 240_000);
});

/** Puts the folder's own data directory behind every command that takes one. */
function wrapper(cli: string): string {
  return `#!/bin/sh
command=$1; shift
case $command in
  image) exec ${cli} image "$@" ;;
  replay) sub=$1; shift; exec ${cli} replay $sub "$@" --data .drover/data ;;
  *) exec ${cli} $command "$@" --data .drover/data ;;
esac
`;
}
