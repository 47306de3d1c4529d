import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { type ControlEvent, subjects } from "#contracts";
import { accepted, HybridClock, refusal, refused, SystemClock, SystemIds, UNCHANGED } from "#kernel";
import type { NatsServer } from "#testing";
import { ControlLog, ControlUnavailableError } from "./control-log.ts";
import { controlLogId, ensureHubStreams } from "./hub-streams.ts";
import type { CommandMeta } from "./recorded.ts";
import { CONTROL } from "./stream-names.ts";
import { connectTo, startUnsynced } from "./test-hub.fixture.ts";

const clock = new SystemClock();
const ids = new SystemIds(clock);
let server: NatsServer;
let nc: NatsConnection;
let log: ControlLog<string[]>;

/** An aggregate is the list of the machines that claimed its name. */
function controlLog(connection: NatsConnection, deadlineMs?: number): ControlLog<string[]> {
  const fold = {
    empty: (): string[] => [],
    evolve: (state: string[], event: ControlEvent) =>
      event.type === "MachineNameClaimed" ? [...state, event.data.machineId] : state,
  };
  const settings = { clock, ids, fold, hybridClock: new HybridClock(clock) };
  return new ControlLog(connection, deadlineMs === undefined ? settings : { ...settings, deadlineMs });
}

function claim(machineId: string) {
  return (owners: string[]) => {
    if (owners.includes(machineId)) return UNCHANGED;
    if (owners.length > 0) return refused(refusal("name_taken", "it is taken"));
    return accepted<ControlEvent>({
      type: "MachineNameClaimed",
      data: { appName: "hello", name: "web", machineId, claimedAtMs: 1 },
    });
  };
}

const add = (machineId: string) => () =>
  accepted<ControlEvent>({
    type: "MachineNameClaimed",
    data: { appName: "hello", name: "web", machineId, claimedAtMs: 1 },
  });

function meta(): CommandMeta {
  return { commandId: ids.ulid(), correlationId: "c", causationId: "c", actor: "test" };
}

let names = 0;
const subject = () => subjects.control("name", `hello_${++names}`);

beforeAll(async () => {
  server = await startUnsynced();
  nc = await connectTo(server);
  await ensureHubStreams(nc, ids);
  log = controlLog(nc);
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});

describe("ControlLog", () => {
  it("decides on what the aggregate's own events say, and records what it was decided from", async () => {
    const name = subject();
    const made = { command: "ClaimMachineName", inputs: { machineId: "a" } };
    const first = await log.transact(name, claim("a"), meta(), made);
    expect(first).toMatchObject({ kind: "accepted", event: { decision: made, subject: name } });
    const position = first.position;
    expect(Object.keys(position)).toEqual([await controlLogId(nc)]);
    expect(await log.transact(name, claim("a"), meta())).toEqual({ kind: "unchanged", position });
    expect(await log.transact(name, claim("b"), meta())).toMatchObject({
      kind: "refused",
      refusal: { code: "name_taken" },
      position,
    });
    expect(await log.transact(subject(), claim("b"), meta())).toMatchObject({ kind: "accepted" });
  });

  it("lets one of many win", async () => {
    const name = subject();
    const rivals = Array.from({ length: 20 }, (_, index) => log.transact(name, claim(`m${index}`), meta()));
    const kinds = (await Promise.all(rivals)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "accepted")).toHaveLength(1);
    expect(kinds.filter((kind) => kind === "refused")).toHaveLength(19);
    expect((await log.load(name)).state).toHaveLength(1);
  });

  it("loses no decision of many that all may win", async () => {
    const name = subject();
    const all = Array.from({ length: 8 }, (_, index) => `m${index}`);
    await Promise.all(all.map((machineId) => log.transact(name, add(machineId), meta())));
    expect((await log.load(name)).state.sort()).toEqual(all);
  });

  it("says conflict for an append that expects what is not so", async () => {
    const name = subject();
    const first = await log.transact(name, claim("a"), meta());
    if (first.kind !== "accepted") throw new Error(first.kind);
    const { log: _, sequence, ...event } = first.event;
    const next = { ...event, header: { ...event.header, id: ids.ulid() } };
    expect(await log.append(next, 0)).toEqual({ kind: "conflict" });
    expect(await log.append(next, sequence + 1_000)).toEqual({ kind: "conflict" });
    expect(await log.append(next, sequence)).toMatchObject({ kind: "appended" });
  });

  it("finds its own event when the ack was lost, also after the duplicate window", async () => {
    const name = subject();
    const first = await log.transact(name, claim("a"), meta());
    if (first.kind !== "accepted") throw new Error(first.kind);
    const { log: _, sequence, ...event } = first.event;
    // Any repeat is answered by CONTROL's duplicate window; without it, by reading.
    expect(await log.append(event, 0)).toEqual({ kind: "appended", event: first.event });
    const jsm = await jetstreamManager(nc);
    await jsm.streams.update(CONTROL, { duplicate_window: 100_000_000 });
    await clock.sleep(300);
    expect(await log.append(event, 0)).toEqual({ kind: "appended", event: first.event });
    expect((await log.load(name)).sequence).toBe(sequence);
  });

  it("resolves every append while the server is killed again and again", async () => {
    const name = subject();
    const wanted = Array.from({ length: 60 }, (_, index) => `m${index}`);
    const writing = (async () => {
      for (const machineId of wanted) await log.transact(name, add(machineId), meta());
    })();
    for (let kill = 0; kill < 3; kill += 1) {
      await clock.sleep(30);
      await server.restart();
    }
    await writing;
    expect((await log.load(name)).state).toEqual(wanted);
  });

  it("refuses to decide on an aggregate with an event that it cannot read", async () => {
    const name = subject();
    await log.transact(name, claim("a"), meta());
    nc.publish(name, "not an event");
    await nc.flush();
    const recorded = await log.transact(name, claim("b"), meta());
    expect(recorded).toMatchObject({ kind: "refused", refusal: { code: "unsupported" } });
  });

  it("gives all events in order", async () => {
    const sequences: (number | undefined)[] = [];
    for await (const decoded of log.all(2)) {
      sequences.push(decoded.kind === "event" ? decoded.event.sequence : decoded.sequence);
    }
    expect(sequences).toEqual(sequences.map((_, index) => index + 2));
  });

  it("throws when the log stays away", async () => {
    const gone = await startUnsynced();
    const other = await connectTo(gone);
    await ensureHubStreams(other, ids);
    const recorded = await controlLog(other).transact(subject(), claim("a"), meta());
    if (recorded.kind !== "accepted") throw new Error(recorded.kind);
    await gone.kill();
    await expect(controlLog(other, 100).append(recorded.event, 0)).rejects.toThrow(ControlUnavailableError);
    await other.close();
    await gone.stop();
  });
});
