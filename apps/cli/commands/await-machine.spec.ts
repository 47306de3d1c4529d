import { afterEach, describe, expect, it } from "@jest/globals";
import { ApiClient } from "../api-client.ts";
import type { MachineRecord } from "../machine-record.ts";
import type { Output } from "../output.ts";
import { answering, serveWeb, type WebServer } from "../web-server.fixture.ts";
import { awaitMachine, type Wanted } from "./await-machine.ts";

let server: WebServer | undefined;
afterEach(async () => server?.close());

const PATH = "/v1/apps/tour/machines/m1";
const machine = { id: "m1", name: "web", drover: { app: "tour" } } as MachineRecord;
const silent: Output = {
  json: false,
  result: () => undefined,
  line: () => undefined,
  progress: () => undefined,
};

/** Waits for a machine that settles in `state`. */
async function settled(
  state: string,
  wanted: Wanted,
  drover: object,
  events: object[] = [],
): Promise<string> {
  server = await serveWeb(
    answering({
      [`${PATH}/wait?state=settled&timeout=60`]: { state },
      [PATH]: { id: "m1", drover },
      [`${PATH}/events?limit=50`]: events,
    }),
  );
  return awaitMachine(new ApiClient(server.base, "t"), machine, wanted, silent);
}

describe("waiting for a machine", () => {
  it("ends when it is what was wanted", async () => {
    expect(await settled("started", "started", {})).toBe("started");
    expect(server!.requests).toHaveLength(1);
  });

  it("to be stopped ends, too, when it was to go away by itself", async () => {
    expect(await settled("destroyed", "stopped", {})).toBe("destroyed");
  });

  it("to start ends well when its process is through already", async () => {
    const last_exit = { exit_code: 0, oom_killed: false };
    expect(await settled("stopped", "started", { last_exit })).toBe("stopped");
  });

  it.each([
    [{ exit_code: 3, oom_killed: false }, "web started and ended with exit code 3: see `drover logs m1`"],
    [{ exit_code: 137, oom_killed: true }, "web started and ran out of memory: see `drover logs m1`"],
  ])("to start says that its process failed: %p", async (last_exit, message) => {
    await expect(settled("stopped", "started", { last_exit })).rejects.toThrow(message);
  });

  it("says why it came to nothing, also of one that is destroyed again", async () => {
    const events = [{ status: "destroyed" }, { request: { error: { message: "port 80 is taken" } } }];
    await expect(settled("destroyed", "started", {}, events)).rejects.toThrow(
      "web is destroyed instead of started: port 80 is taken",
    );
    await server!.close();
    const drover = { error: { message: "no such image" }, last_exit: { exit_code: 0 } };
    await expect(settled("failed", "started", drover)).rejects.toThrow("instead of started: no such image");
    await server!.close();
    await expect(settled("started", "destroyed", {})).rejects.toThrow("see `drover events m1`");
  });
});
