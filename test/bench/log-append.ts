import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { percentile, rounded } from "./figures.ts";
import { HostHistory } from "./log-history.ts";
import { BenchLeaf, clock, type HostLedger, ids } from "./log-leaf.ts";

type Row = Readonly<Record<string, string | number>>;

const WINDOWS = [1, 64, 256];

/** Appends acknowledged, one in flight and pipelined, to a server that syncs and to one that does not. */
export async function appendFigures(samples: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const synced of [true, false]) {
    const leaf = await BenchLeaf.start(synced);
    try {
      const what = synced ? "synced" : "unsynced";
      for (const inFlight of WINDOWS) {
        rows.push(...(await appendsAt(leaf, what, inFlight, inFlight === 1 ? samples / 4 : samples)));
      }
    } finally {
      await leaf.stop();
    }
  }
  return rows;
}

/** The same machine, the same minute: bare NATS, the appender, and the whole ledger with its decisions. */
async function appendsAt(leaf: BenchLeaf, what: string, inFlight: number, samples: number): Promise<Row[]> {
  const log = await leaf.openLog(inFlight);
  const events = new HostHistory(log.logId).events(100);
  const history = Array.from({ length: samples }, () => events.next().value);
  const body = JSON.stringify(history[samples / 2]);
  const bare = await measure(samples, inFlight, await barePublish(await leaf.connect(), body));
  const offset = log.lastSequence;
  const appended =
    offset > 0 ? undefined : await measure(samples, inFlight, (index) => log.append(history[index]!));
  log.close();
  const ledger = await leaf.openLedger(leaf.checkpoints(`append-${inFlight}`));
  const decided = await measure(samples, inFlight, (index) => alarm(ledger, index));
  await ledger.log.retire("bench");
  const row = (kind: string, figures: Measured | undefined) =>
    figures === undefined ? [] : [rowOf(`append ${what}, ${inFlight} in flight: ${kind}`, figures, bare)];
  return [
    ...row("bare NATS publish", bare),
    ...row("host log", appended),
    ...row("ledger, decided and folded", decided),
  ];
}

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

function rowOf(what: string, { perSecond, p50, p99 }: Measured, bare: Measured): Row {
  const ratio = rounded(perSecond / bare.perSecond);
  return { what, "per s": Math.round(perSecond), "p50 ms": rounded(p50), "p99 ms": rounded(p99), ratio };
}

async function measure(
  samples: number,
  inFlight: number,
  act: (index: number) => Promise<unknown>,
): Promise<Measured> {
  const latencies: number[] = [];
  let next = 0;
  const startedMs = clock.monotonicMs();
  const worker = async () => {
    while (next < samples) {
      const index = next;
      next += 1;
      const sentMs = clock.monotonicMs();
      await act(index);
      latencies.push(clock.monotonicMs() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (clock.monotonicMs() - startedMs) / 1_000;
  return {
    perSecond: samples / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

/** What the client does by itself, without expectations, ids or decisions. */
async function barePublish(nc: NatsConnection, body: string): Promise<() => Promise<unknown>> {
  const name = `BARE_${ids.ulid()}`;
  await (await jetstreamManager(nc)).streams.add({ name, subjects: [`bare.${name}`] });
  const client = jetstream(nc);
  return () => client.publish(`bare.${name}`, body);
}

function alarm(ledger: HostLedger, index: number): Promise<unknown> {
  const commandId = ids.ulid();
  const meta = { commandId, causationId: commandId, correlationId: commandId, actor: "bench" };
  const told = { alarm: "bench", message: `a message of the usual length, number ${index}` };
  return ledger.execute({ type: "RaiseAlarm", ...told, commandId, atMs: clock.nowMs() }, meta);
}
