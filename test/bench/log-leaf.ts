import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { HostLogEvent } from "#contracts";
import { Checkpoints, type Fold, HostLog, Ledger, type LedgerTrouble } from "#event-log";
import { type Host, type HostCommand, HostDomain } from "#hosts";
import { HybridClock, SystemClock, SystemIds } from "#kernel";
import { type NatsServer, openConfig, startNatsServer } from "#testing";

export type HostLedger = Ledger<HostCommand, Host, HostLogEvent>;

export const HOST = "host-a";
export const clock = new SystemClock();
export const ids = new SystemIds(clock);

const IDENTITY = {
  hostId: HOST,
  region: "local",
  clusterId: "bench",
  subnet: "10.213",
  agentVersion: "bench",
  bootId: "bench",
};

/** A host's leaf for measuring: a real server, synced or not, and agents that connect to it. */
export class BenchLeaf {
  readonly server: NatsServer;
  readonly #folder: string;
  readonly #connections: NatsConnection[] = [];

  static async start(synced: boolean): Promise<BenchLeaf> {
    const server = await startNatsServer((place) => {
      const config = openConfig(place);
      return synced ? config : config.replace(", sync_interval: always", "");
    });
    return new BenchLeaf(server, await mkdtemp(join(tmpdir(), "drover-bench-")));
  }

  private constructor(server: NatsServer, folder: string) {
    this.server = server;
    this.#folder = folder;
  }

  async connect(): Promise<NatsConnection> {
    const nc = await connect({ servers: this.server.url });
    this.#connections.push(nc);
    return nc;
  }

  async openLog(maxInFlight = 256): Promise<HostLog> {
    return HostLog.open(await this.connect(), { hostId: HOST, clock, ids, maxInFlight });
  }

  /** The checkpoints of the leaf's host, or an empty place for some. */
  checkpoints(place = "checkpoints"): Checkpoints {
    return new Checkpoints(join(this.#folder, place));
  }

  /** A ledger as the host agent opens it. */
  async openLedger(checkpoints = this.checkpoints(), fold?: Fold<Host>): Promise<HostLedger> {
    const domain = new HostDomain(IDENTITY);
    return Ledger.open<HostCommand, Host, HostLogEvent>({
      log: await this.openLog(),
      domain: fold === undefined ? domain : Object.assign(domain, { fold }),
      checkpoints,
      clock,
      hybridClock: new HybridClock(clock),
      ids,
      onTrouble: failLoudly,
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#connections.map((nc) => nc.close()));
    await this.server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function failLoudly(trouble: LedgerTrouble): void {
  throw new Error(`the ledger is in trouble: ${JSON.stringify(trouble)}`);
}
