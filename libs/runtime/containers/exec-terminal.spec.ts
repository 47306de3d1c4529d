import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ContainerGround } from "./conmon-runtime.fixture.ts";
import type { ConmonRuntime } from "./conmon-runtime.ts";
import type { ExecProcess } from "./exec-process.ts";

const { signal } = new AbortController();
const M = "d0000000000001";
let ground: ContainerGround;
let runtime: ConmonRuntime;
beforeAll(async () => {
  ground = await ContainerGround.make();
  runtime = await ground.open();
  await runtime.launch(await ground.spec(M, "S1", { kind: "serve" }), signal);
}, 60_000);
afterAll(() => ground.close());

const terminal = { columns: 100, rows: 30, name: "vt100" };
const at = (command: string) =>
  runtime.exec(M, "S1", { args: ["/bin/sh", "-c", command], hasStdin: true, terminal }, signal);

/** Everything that it wrote so far, whenever that has grown. */
function screenOf({ stdout }: ExecProcess) {
  let screen = "";
  stdout.on("data", (chunk: Buffer) => (screen += chunk.toString()));
  return {
    shows: async (wanted: string) => {
      while (!screen.includes(wanted)) await new Promise((done) => stdout.once("data", done));
    },
    whole: () => screen,
  };
}

describe("a program at a terminal", () => {
  it("has one of that kind and size, sees what is typed, and is told of a new size", async () => {
    const shell = await at("echo $TERM; stty size; while read line; do echo got $line at $(stty size); done");
    const screen = screenOf(shell);
    await screen.shows("vt100\r\n30 100\r\n");
    shell.stdin.write("hello\r");
    await screen.shows("hello\r\ngot hello at 30 100\r\n");
    shell.resize({ columns: 132, rows: 40 });
    // Nothing tells when it has arrived.
    while (!screen.whole().includes("again at 40 132")) {
      shell.stdin.write("again\r");
      await new Promise((done) => shell.stdout.once("data", done));
    }
    shell.stdin.end();
    expect(await shell.exit).toEqual({ exitCode: 0, exitSignal: 0 });
  });

  it("is interrupted by Ctrl-C, as are its children", async () => {
    const sleeper = await at("echo begun; sleep 10000");
    const screen = screenOf(sleeper);
    await screen.shows("begun");
    sleeper.stdin.write("\x03");
    expect(await sleeper.exit).toEqual({ exitCode: 130, exitSignal: 2 });
  });

  it("says why it cannot run", async () => {
    const spec = { args: ["/nothing"], hasStdin: true, terminal };
    await expect(runtime.exec(M, "S1", spec, signal)).rejects.toMatchObject({
      code: "launch_failed",
      message: expect.stringContaining("/nothing"),
    });
  });
});
