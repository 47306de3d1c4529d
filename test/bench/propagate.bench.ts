import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectBus } from "#bus";
import type { HostLogEvent, NewEvent } from "#contracts";
import { ensureHubStreams, FLEET, HostLog } from "#event-log";
import { startTopology, type Topology } from "#testing";
import { sourceDelivery } from "#topology";
import { percentile, print, rounded } from "./figures.ts";
import { HostHistory } from "./log-history.ts";
import { clock, HOST, ids } from "./log-leaf.ts";
import { type SeenRoute, sharedMs } from "./route-watcher.ts";

/**
 * `drover bench propagate`: from a host's append of a start until the route to it is live in a router, a process of its
 * own across hub and leaf link. When little happens, and while that host appends 1,000 events a second.
 */
const IDLE = { what: "one at a time", pauseMs: 10, starts: 300 };
const BUSY = { what: "at 1,000 events/s", perSecond: 1_000, starts: 1_500 };
const MACHINES = 10;
/** Events are sent in groups of this length in time: a timer is no finer. */
const GROUP_MS = 5;

interface Times {
  readonly appendedAtMs: number;
  ackedAtMs?: number;
  seenAtMs?: number;
}

/** One host's life, appended as fast as asked for, with when each of its starts became known where. */
class Propagation {
  readonly #log: HostLog;
  readonly #events: Generator<NewEvent<HostLogEvent>, never>;
  /** By start id. */
  #starts = new Map<string, Times>();
  #startIdOf = new Map<string, string>();

  constructor(log: HostLog, watcher: ChildProcess) {
    this.#log = log;
    this.#events = new HostHistory(log.logId).events(MACHINES);
    watcher.on("message", (seen: SeenRoute) => {
      const start = this.#starts.get(seen.startId);
      if (start !== undefined) start.seenAtMs = seen.atMs;
    });
  }

  async oneAtATime(pauseMs: number, starts: number): Promise<Times[]> {
    while (this.#starts.size < starts) {
      await this.#append();
      await clock.sleep(pauseMs);
    }
    return this.#arrived();
  }

  async steadily(perSecond: number, starts: number): Promise<Times[]> {
    const beganAtMs = sharedMs();
    const underWay: Promise<void>[] = [];
    for (let sent = 0; this.#starts.size < starts; await clock.sleep(GROUP_MS)) {
      const due = ((sharedMs() - beganAtMs) * perSecond) / 1_000;
      for (; sent < due; sent += 1) underWay.push(this.#append());
    }
    await Promise.all(underWay);
    return this.#arrived();
  }

  async #append(): Promise<void> {
    const event = this.#events.next().value;
    const start = this.#note(event);
    await this.#log.append(event);
    if (start !== undefined) start.ackedAtMs = sharedMs();
  }

  /** The event that begins an operation names the start; the one that ends it makes it a route. */
  #note({ type, data }: NewEvent<HostLogEvent>): Times | undefined {
    if (type === "MachineStarting") {
      const launch = data.operation.steps.find(({ name }) => name === "launch")!;
      this.#startIdOf.set(data.operation.id, (launch.input as { startId: string }).startId);
    }
    if (type !== "MachineStarted") return undefined;
    const start: Times = { appendedAtMs: sharedMs() };
    this.#starts.set(this.#startIdOf.get(data.operationId)!, start);
    return start;
  }

  async #arrived(): Promise<Times[]> {
    const starts = [...this.#starts.values()];
    while (starts.some(({ seenAtMs }) => seenAtMs === undefined)) await clock.sleep(10);
    this.#starts = new Map();
    // The first ones still find everything being set up.
    return starts.slice(Math.floor(starts.length / 10));
  }
}

function rowsOf(how: string, times: readonly Times[]) {
  const row = (what: string, of: (times: Times) => number) => {
    const took = times.map((each) => of(each) - each.appendedAtMs);
    const [p50, p99] = [percentile(took, 0.5), percentile(took, 0.99)];
    return { what: `${what}, ${how}`, samples: took.length, "p50 ms": rounded(p50), "p99 ms": rounded(p99) };
  };
  return [
    row("append acknowledged at its host (synced)", ({ ackedAtMs = Number.NaN }) => ackedAtMs),
    row("append → route live in a router", ({ seenAtMs = Number.NaN }) => seenAtMs),
  ];
}

async function openLog(topology: Topology, connections: NatsConnection[]): Promise<HostLog> {
  const agent = await connectBus(topology.hosts.get(HOST)!.bus);
  const scheduler = await connectBus(topology.bus("scheduler"));
  connections.push(agent, scheduler);
  const log = await HostLog.open(agent, { hostId: HOST, clock, ids });
  await ensureHubStreams(scheduler, ids);
  const external = { api: `$JS.${HOST}.API`, deliver: sourceDelivery(HOST) };
  const jsm = await jetstreamManager(scheduler, { checkAPI: false });
  await jsm.streams.update(FLEET, { subjects: [], sources: [{ name: log.stream, external }] });
  return log;
}

async function startWatcher(topology: Topology, directory: string): Promise<ChildProcess> {
  const words = [JSON.stringify(topology.bus("router")), directory, "hello"];
  const watcher = fork(resolve("dist/test/bench/route-watcher.js"), words);
  await new Promise<void>((ready, failed) => {
    watcher.once("message", () => ready());
    watcher.once("exit", (code) => failed(new Error(`the router ended with ${code}`)));
  });
  return watcher;
}

const folder = await mkdtemp(join(tmpdir(), "drover-bench-"));
const topology = await startTopology({ hosts: [HOST] });
const connections: NatsConnection[] = [];
let watcher: ChildProcess | undefined;
try {
  const log = await openLog(topology, connections);
  watcher = await startWatcher(topology, folder);
  const propagation = new Propagation(log, watcher);
  const idle = await propagation.oneAtATime(IDLE.pauseMs, IDLE.starts);
  const busy = await propagation.steadily(BUSY.perSecond, BUSY.starts);
  const rows = [...rowsOf(IDLE.what, idle), ...rowsOf(BUSY.what, busy)];
  print({ bench: "append → route live in a router", rows });
} finally {
  watcher?.kill();
  await Promise.all(connections.map((nc) => nc.close()));
  await topology.stop();
  await rm(folder, { recursive: true, force: true });
}
