import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { DecodedEvent, HostLogEvent, NewEvent, RecordedEvent } from "#contracts";
import { subjects } from "#contracts";
import { type Clock, HybridClock, SystemClock, SystemIds } from "#kernel";
import { type NatsServer, type NatsServerPlace, startNatsServer } from "#testing";
import { Checkpoints } from "./checkpoints.ts";
import { type CountCommand, type Counts, countDomain, HOST } from "./count-domain.fixture.ts";
import { HostLog, type HostLogSettings } from "./host-log.ts";
import { Ledger } from "./ledger.ts";
import type { LedgerSettings } from "./ledger-settings.ts";
import type { LedgerTrouble } from "./ledger-trouble.ts";

export type CountLedger = Ledger<CountCommand, Counts, HostLogEvent>;

/** A real server as a host's leaf, and agents of a counting host on it. */
export class TestLeaf {
  readonly server: NatsServer;
  readonly folder: string;
  readonly clock = new SystemClock();
  readonly ids = new SystemIds(this.clock);
  readonly checkpoints: Checkpoints;
  /** What the ledgers of this leaf reported. */
  readonly troubles: LedgerTrouble[] = [];
  readonly #connections: NatsConnection[] = [];

  static async start(config?: (place: NatsServerPlace) => string): Promise<TestLeaf> {
    const server = await startNatsServer(config);
    return new TestLeaf(server, await mkdtemp(join(tmpdir(), "drover-log-")));
  }

  private constructor(server: NatsServer, folder: string) {
    this.server = server;
    this.folder = folder;
    this.checkpoints = new Checkpoints(join(folder, "checkpoints"));
  }

  async connect(url = this.server.url): Promise<NatsConnection> {
    const settings = { servers: url, reconnectTimeWait: 20, maxReconnectAttempts: -1 };
    const nc = await connect(settings);
    this.#connections.push(nc);
    return nc;
  }

  /** Opens the host's log, over a connection of its own unless one is given. */
  async openLog(settings: Partial<HostLogSettings> = {}, nc?: NatsConnection): Promise<HostLog> {
    const { clock, ids } = this;
    return HostLog.open(nc ?? (await this.connect()), { hostId: HOST, clock, ids, ...settings });
  }

  /** Opens the host's log and a ledger on it. */
  async openLedger(
    more: Partial<LedgerSettings<CountCommand, Counts, HostLogEvent>> = {},
    log?: HostLog,
  ): Promise<CountLedger> {
    const clock: Clock = more.clock ?? this.clock;
    return Ledger.open({
      log: log ?? (await this.openLog()),
      domain: countDomain,
      checkpoints: this.checkpoints,
      clock,
      hybridClock: new HybridClock(clock),
      ids: this.ids,
      onTrouble: (trouble) => this.troubles.push(trouble),
      ...more,
    });
  }

  /** An event for the log itself, without a ledger. */
  event(machineId = "m1"): NewEvent<HostLogEvent> {
    return {
      type: "StepCompleted",
      data: { machineId, operationId: "op", step: "count", output: {} },
      subject: subjects.machine(HOST, machineId),
      header: {
        ...{ id: this.ids.ulid(), version: 1, clock: "019ab5d7a400-0001" },
        ...{ causationId: "test", correlationId: "test", actor: "test" },
      },
    };
  }

  /** Asks a ledger to count; the command's id is new each time. */
  count(ledger: CountLedger, machineId = "m1", upTo?: number) {
    const commandId = this.ids.ulid();
    const meta = { commandId, correlationId: commandId, causationId: commandId, actor: "test" };
    const command = { type: "Count", machineId, commandId, atMs: this.clock.nowMs() } as const;
    return ledger.execute(upTo === undefined ? command : { ...command, upTo }, meta);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#connections.map((nc) => nc.close()));
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** All events of a log; throws at a bad one. */
export async function eventsOf(log: HostLog): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const decoded of log.read()) events.push(good(decoded));
  return events;
}

export function good(decoded: DecodedEvent): RecordedEvent {
  if (decoded.kind === "bad") throw new Error(`${decoded.reason}: ${decoded.detail}`);
  return decoded.event;
}
