import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { encodeEvent } from "#contracts";
import type { HostLog } from "#event-log";
import { rounded } from "./figures.ts";
import { HostHistory } from "./log-history.ts";
import { BenchLeaf, clock } from "./log-leaf.ts";

type Row = Readonly<Record<string, string | number>>;

const MACHINES = 1_000;
/** Rounds of which the best counts: other programs' noise only ever makes one slower. */
const ROUNDS = 3;
/** One event in so many is weighed. */
const SAMPLED = 100;
const decoder = new TextDecoder();

/** A long history: how fast it folds beside bare NATS and JSON, what a byte of it costs, what a start costs. */
export async function foldFigures(eventCount: number): Promise<Row[]> {
  const leaf = await BenchLeaf.start(false);
  try {
    const log = await leaf.openLog();
    const bytes = await writeHistory(log, eventCount);
    log.close();
    const stored = await streamBytes(await leaf.connect(), log.stream);
    const rates = await rateFigures(leaf, log.stream, eventCount);
    const starts = await startFigures(leaf, eventCount);
    const perEvent = (total: number) => rounded(total / eventCount);
    return [
      ...rates,
      { what: "body of an event", bytes: perEvent(bytes) },
      { what: "event on the disk, with all of NATS'", bytes: perEvent(stored) },
      ...starts,
    ];
  } finally {
    await leaf.stop();
  }
}

async function writeHistory(log: HostLog, eventCount: number): Promise<number> {
  const events = new HostHistory(log.logId).events(MACHINES);
  let bytes = 0;
  let pending: Promise<number>[] = [];
  for (let index = 0; index < eventCount; index += 1) {
    const event = events.next().value;
    if (index % SAMPLED === 0) {
      const { body } = encodeEvent(event, { log: log.logId, sequence: index + 1 });
      bytes += Buffer.byteLength(body) * SAMPLED;
    }
    pending.push(log.append(event));
    if (pending.length === 2_000) {
      await Promise.all(pending);
      pending = [];
    }
  }
  await Promise.all(pending);
  return bytes;
}

async function streamBytes(nc: NatsConnection, stream: string): Promise<number> {
  return (await (await jetstreamManager(nc)).streams.info(stream)).state.bytes;
}

/** What one pass over the history took: by the clock, and of this process's CPU time. */
export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function rateFigures(leaf: BenchLeaf, stream: string, eventCount: number): Promise<Row[]> {
  const nc = await leaf.connect();
  const raw: Cost[] = [];
  const bare: Cost[] = [];
  const folded: Cost[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    raw.push(await costOf(() => consumeAll(nc, stream, eventCount, () => undefined)));
    bare.push(await costOf(() => consumeAll(nc, stream, eventCount, parse)));
    folded.push(await costOf(() => foldAll(leaf, round)));
  }
  const best = (costs: readonly Cost[], key: keyof Cost) => Math.min(...costs.map((cost) => cost[key]));
  // By CPU time: on a busy machine the clock compares the neighbours.
  const row = (what: string, costs: readonly Cost[]) => ({
    what,
    "per s": Math.round((eventCount / best(costs, "wallMs")) * 1_000),
    ratio: rounded(best(bare, "cpuMs") / best(costs, "cpuMs")),
  });
  return [
    row("replay: bare NATS", raw),
    row("replay: bare NATS and JSON.parse", bare),
    row("replay: checked, decoded and folded by the real decider", folded),
  ];
}

function parse(body: Uint8Array): void {
  JSON.parse(decoder.decode(body));
}

/** As a start of the agent does it when it has no checkpoint. */
async function foldAll(leaf: BenchLeaf, round: number): Promise<void> {
  const ledger = await leaf.openLedger(leaf.checkpoints(`none-${round}`));
  ledger.log.close();
}

async function startFigures(leaf: BenchLeaf, eventCount: number): Promise<Row[]> {
  const first = await leaf.openLedger();
  const snapshotMs = await timeOf(() => first.checkpoint());
  first.log.close();
  const withMs = await timeOf(async () => (await leaf.openLedger()).log.close());
  const withoutMs = await timeOf(async () => (await leaf.openLedger(leaf.checkpoints("none"))).log.close());
  const serverMs = await timeOf(() => leaf.server.restart());
  const machines = first.state.machines.size;
  const history = `${eventCount.toLocaleString("en")} events of history`;
  return [
    { what: `start with ${history}, from a checkpoint`, ms: Math.round(withMs) },
    {
      what: `start with ${history}, without one`,
      ms: Math.round(withoutMs),
      ratio: rounded(withoutMs / withMs),
    },
    { what: `checkpoint of ${machines} machines, written and synced`, ms: Math.round(snapshotMs) },
    { what: "start of the log's server after a kill -9", ms: Math.round(serverMs) },
  ];
}

export async function costOf(act: () => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage();
  const wallMs = await timeOf(act);
  const { user, system } = process.cpuUsage(before);
  return { wallMs, cpuMs: (user + system) / 1_000 };
}

async function timeOf(act: () => Promise<unknown>): Promise<number> {
  const startedMs = clock.monotonicMs();
  await act();
  return clock.monotonicMs() - startedMs;
}

export async function consumeAll(
  nc: NatsConnection,
  stream: string,
  count: number,
  take: (body: Uint8Array) => void,
): Promise<void> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const reader = await jsm.consumers.add(stream, { ack_policy: "none", mem_storage: true });
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let left = count;
  const messages = await jetstream(nc)
    .consumers.getConsumerFromInfo(reader)
    .consume({
      max_messages: 10_000,
      callback: (message) => {
        take(message.data);
        left -= 1;
        if (left === 0) resolve();
      },
    });
  await done;
  messages.stop();
  await jsm.consumers.delete(stream, reader.name);
}
