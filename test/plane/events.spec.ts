import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { RecordedEvent } from "#contracts";
import { SystemClock } from "#kernel";
import type { ShownMachine } from "#testing";
import { ApiClient } from "../../apps/cli/api-client.ts";
import { followEvents } from "../../apps/cli/events/follow-events.ts";
import { IMAGE } from "../simulation/host-world.ts";
import { Plane, pause } from "./plane.ts";

let plane: Plane;
let api: ApiClient;
beforeAll(async () => {
  plane = await Plane.start(["host-1", "host-2"]);
  const { base, token } = await plane.listen();
  api = new ApiClient(base, token);
  for (const name of ["one", "two"]) await plane.ask("POST", "/v1/apps", { name });
}, 60_000);
afterAll(() => plane.stop());

/** Follows until `stop`; what it heard, and what it was told of the connection. Resolves once it is connected. */
async function follow(wish: Record<string, string> = {}) {
  const heard: RecordedEvent[] = [];
  const notices: string[] = [];
  const stopped = new AbortController();
  const connected = Promise.withResolvers<void>();
  const tapped = {
    stream: async function* <T>(path: string, signal: AbortSignal) {
      for await (const line of api.stream<T>(path, signal)) {
        connected.resolve();
        yield line;
      }
    },
  };
  const ground = { api: tapped, clock: new SystemClock(), notice: (line: string) => void notices.push(line) };
  const ended = (async () => {
    for await (const event of followEvents(ground, wish, stopped.signal)) heard.push(event);
  })();
  await Promise.race([connected.promise, ended]);
  const stop = async () => {
    stopped.abort();
    await ended;
  };
  const until = async (isIt: (event: RecordedEvent) => boolean) => {
    while (!heard.some(isIt)) await pause();
  };
  return { heard, notices, stop, until };
}

async function create(app: string): Promise<string> {
  const made = await plane.ask<ShownMachine>("POST", `/v1/apps/${app}/machines`, {
    config: { image: IMAGE },
  });
  await plane.ask("GET", `/v1/apps/${app}/machines/${made.body.id}/wait?state=started`);
  return made.body.id;
}

const isStartOf = (machineId: string) => (event: RecordedEvent) =>
  event.type === "MachineStarted" && event.data.machineId === machineId;

/** Each log's sequences, without a hole and without a repeat. */
function expectWhole(events: readonly RecordedEvent[]): void {
  const logs = Map.groupBy(events, ({ log }) => log);
  for (const each of logs.values()) {
    const sequences = each.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => sequences[0]! + index));
  }
}

describe("events as they happen", () => {
  it("are those of everything, or of one app, host, type or machine, its latest first told", async () => {
    const [all, app, type] = await Promise.all([
      follow(),
      follow({ app: "one" }),
      follow({ type: "MachineStarted" }),
    ]);
    const one = await create("one");
    const two = await create("two");
    await Promise.all([all.until(isStartOf(one)), all.until(isStartOf(two)), type.until(isStartOf(two))]);
    expectWhole(all.heard);
    const logs = new Set(all.heard.map(({ subject }) => subject.split(".").slice(0, 2).join(".")));
    expect([...logs].sort()).toEqual(["evt.control", "evt.host"]);
    expect(type.heard.map((event) => event.type)).toEqual(["MachineStarted", "MachineStarted"]);
    await app.until(isStartOf(one));
    expect(JSON.stringify(app.heard)).toContain(one);
    expect(JSON.stringify(app.heard)).not.toContain(two);
    await Promise.all([all, app, type].map(({ stop }) => stop()));

    const late = await follow({ machine: two, tail: "50" });
    await late.until(isStartOf(two));
    expect(late.heard[0]?.type).toBe("MachineCreating");
    await plane.ask("POST", `/v1/apps/two/machines/${two}/stop`);
    await late.until(({ type: name }) => name === "MachineStopped");
    expect(late.heard.every(({ data }) => "machineId" in data && data.machineId === two)).toBe(true);
    await late.stop();
  }, 90_000);

  it("go on through restarts of the API, none left out, none twice, not even those of meanwhile", async () => {
    const machineId = await create("one");
    const { heard, notices, stop, until } = await follow();
    for (let restarts = 1; restarts <= 2; restarts += 1) {
      plane.killApi();
      const host = plane.hosts.find(({ state }) => state.machines.has(machineId))!;
      const { startId } = host.state.machines.get(machineId)!;
      host.kernel.endProcess(`${machineId}.${startId}`, { status: 1, oomKilled: false, exitedAtMs: 1 });
      const again = () => host.state.machines.get(machineId)!;
      while (again().state !== "started" || again().startId === startId) await pause();
      await plane.startApi();
      await create("two");
      while (heard.filter(isStartOf(machineId)).length < restarts) await pause();
    }
    const last = await create("two");
    await until(isStartOf(last));
    expectWhole(heard);
    expect(heard.filter(isStartOf(machineId))).toHaveLength(2);
    expect(notices.length).toBeGreaterThan(0);
    await stop();
  }, 120_000);

  it("are refused with a reason where the question makes no sense", async () => {
    await expect(follow({ type: "Nothing" })).rejects.toMatchObject({ refusal: { code: "invalid" } });
    for (const query of ["type=Nothing", "after=x", "tail=99"]) {
      expect((await plane.ask("GET", `/drover/v1/events?${query}`)).status).toBe(400);
    }
    const misspelt: Record<string, string>[] = [{ app: "nobody" }, { host: "host" }];
    for (const wish of misspelt) {
      await expect(follow(wish)).rejects.toMatchObject({ refusal: { code: "not_found" } });
    }
  });
});
