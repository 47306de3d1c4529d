import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { ShownMachine } from "#testing";
import { ApiClient } from "../../apps/cli/api-client.ts";
import { RemoteExec } from "../../apps/cli/exec/follow-exec.ts";
import { IMAGE } from "../simulation/host-world.ts";
import { Plane, pause } from "./plane.ts";

let plane: Plane;
let api: ApiClient;
let path: string;
beforeAll(async () => {
  plane = await Plane.start(["host-1"]);
  const { base, token } = await plane.listen();
  api = new ApiClient(base, token);
  await plane.ask("POST", "/v1/apps", { name: "app" });
  const created = await plane.ask<ShownMachine>("POST", "/v1/apps/app/machines", {
    config: { image: IMAGE },
  });
  path = `/v1/apps/app/machines/${created.body.id}`;
  await plane.ask("GET", `${path}/wait?state=started`);
}, 60_000);
afterAll(() => plane.stop());

const run = (body: object) => plane.ask("POST", `${path}/exec`, body);

/** Opens a stream as the CLI does; what it writes is read to its end. */
async function stream(command: readonly string[], stdin: Readable = new PassThrough()) {
  const query = new URLSearchParams({ stdin: "true" });
  for (const word of command) query.append("command", word);
  const remote = new RemoteExec(await api.socket(`${path}/exec/stream?${query}`));
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const end = remote.follow({ stdin, stdout, stderr }).finally(() => stdout.end());
  end.catch(() => {});
  return { remote, stdout, end };
}

describe("a command in a machine", () => {
  it("runs to its end, and its output and exit code are told", async () => {
    const echoed = await run({ command: ["echo"], stdin: "hello\n" });
    expect([echoed.status, echoed.body]).toEqual([
      200,
      { exit_code: 0, exit_signal: 0, stdout: "hello\n", stderr: "" },
    ]);
    expect((await run({ cmd: "exit '7'" })).body).toMatchObject({ exit_code: 7, stdout: "" });
    const long = "x".repeat(700_000);
    const cut = (await run({ command: ["echo"], stdin: long })).body;
    expect([(cut.stdout as string).length, cut.truncated]).toEqual([700_000, undefined]);
  });

  it("is killed when its time is up, and refused where it cannot run", async () => {
    const late = await run({ command: ["stubborn"], timeout: 1 });
    expect([late.status, late.body.status]).toEqual([408, "deadline_exceeded"]);
    expect((await run({ command: [] })).status).toBe(400);
    expect((await run({ command: ["missing"] })).body).toMatchObject({ status: "invalid" });
    expect((await run({ command: ["echo"], container: "other" })).status).toBe(501);
  });

  it("has streams, and more of them than anybody keeps", async () => {
    const whole = "0123456789abcdef".repeat(200_000);
    const { stdout, end } = await stream(["echo"], Readable.from([Buffer.from(whole)]));
    expect((await text(stdout)) === whole).toBe(true);
    expect(await end).toEqual({ exitCode: 0, exitSignal: 0 });
  });

  it("waits for a client that does not read, and loses nothing", async () => {
    const piece = "0123456789abcdef".repeat(1_000);
    let given = 0;
    const pieces = function* () {
      for (; given < 200; given += 1) yield Buffer.from(piece);
    };
    const { stdout, end } = await stream(["echo"], Readable.from(pieces()));
    while (stdout.writableLength < 200_000) await pause();
    // All that buffers on the way hold is less than a third of it: the rest is still with the one who feeds it.
    expect(given).toBeLessThan(100);
    const whole = piece.repeat(200);
    expect((await text(stdout)) === whole).toBe(true);
    await end;
  });

  it("gets signals, and ends with its client, with its host and with the API", async () => {
    const signalled = await stream(["serve"]);
    signalled.remote.say({ kind: "signal", name: "SIGTERM" });
    expect(await signalled.end).toEqual({ exitCode: 3, exitSignal: 0 });

    const left = await stream(["stubborn"]);
    left.remote.abandon();
    await expect(left.end).rejects.toMatchObject({ refusal: { code: "unreachable" } });
    while (plane.host("host-1").isOccupied) await pause();

    const orphan = await stream(["stubborn"]);
    await plane.replace("api");
    await expect(orphan.end).rejects.toMatchObject({ refusal: { code: "unreachable" } });
    while (plane.host("host-1").isOccupied) await pause();

    const lost = await stream(["stubborn"]);
    await plane.replace("host-1");
    await expect(lost.end).rejects.toThrow(/host-1 does not answer any more/);
  }, 90_000);

  it("says by a status why there is no stream", async () => {
    const at = (where: string) => api.socket(`${where}/exec/stream?command=echo`);
    await expect(at("/v1/apps/app/machines/none")).rejects.toMatchObject({ refusal: { code: "not_found" } });
    const { base } = await plane.listen();
    const stranger = new ApiClient(base, "wrong");
    await expect(stranger.socket(`${path}/exec/stream?command=echo`)).rejects.toMatchObject({
      refusal: { code: "unauthorized" },
    });
    await plane.ask("POST", `${path}/stop`);
    await plane.ask("GET", `${path}/wait?state=stopped`);
    await expect(at(path)).rejects.toMatchObject({
      refusal: {
        code: "wrong_state",
        message: expect.stringMatching(/is stopped: start it first \(drover start /),
      },
    });
    expect((await run({ command: ["echo"] })).status).toBe(412);
  }, 60_000);
});
