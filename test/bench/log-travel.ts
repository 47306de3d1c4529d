import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectBus } from "#bus";
import { decodeEvent } from "#contracts";
import { ensureHubStreams, FLEET, fromLive, HostLog, storedMessage } from "#event-log";
import { startTopology, type Topology } from "#testing";
import { sourceDelivery } from "#topology";
import { percentile, rounded } from "./figures.ts";
import { HostHistory } from "./log-history.ts";
import { clock, HOST, ids } from "./log-leaf.ts";

type Row = Readonly<Record<string, string | number>>;

const PAUSE_MS = 2;

/** From the append at one host to a reader at the hub: through the live feed, and through FLEET. Idle, one at a time. */
export async function travelFigures(samples: number): Promise<Row[]> {
  const topology = await startTopology({ hosts: [HOST] });
  const connections: NatsConnection[] = [];
  try {
    const travel = await Travel.begin(topology, connections);
    await travel.run(samples);
    return travel.rows();
  } finally {
    await Promise.all(connections.map((nc) => nc.close()));
    await topology.stop();
  }
}

class Travel {
  readonly #log: HostLog;
  readonly #sentMs: number[] = [];
  readonly #arrivals = { acked: [] as number[], live: [] as number[], fleet: [] as number[] };

  static async begin(topology: Topology, connections: NatsConnection[]): Promise<Travel> {
    const agent = await connectBus(topology.hosts.get(HOST)!.bus);
    const scheduler = await connectBus(topology.bus("scheduler"));
    const router = await connectBus(topology.bus("router"));
    connections.push(agent, scheduler, router);
    const log = await HostLog.open(agent, { hostId: HOST, clock, ids });
    await ensureHubStreams(scheduler, ids);
    const external = { api: `$JS.${HOST}.API`, deliver: sourceDelivery(HOST) };
    const jsm = await jetstreamManager(scheduler, { checkAPI: false });
    await jsm.streams.update(FLEET, { subjects: [], sources: [{ name: log.stream, external }] });
    const travel = new Travel(log);
    await travel.#listen(router);
    return travel;
  }

  private constructor(log: HostLog) {
    this.#log = log;
  }

  async run(samples: number): Promise<void> {
    const events = new HostHistory(this.#log.logId).events(10);
    for (let sequence = 1; sequence <= samples; sequence += 1) {
      this.#sentMs[sequence] = clock.monotonicMs();
      await this.#log.append(events.next().value);
      this.#arrived("acked", sequence);
      await clock.sleep(PAUSE_MS);
    }
    while (this.#arrivals.fleet.length < samples) await clock.sleep(10);
  }

  rows(): Row[] {
    // The first ones still find the source being set up.
    const settled = (times: number[]) => times.slice(Math.floor(times.length / 10));
    return Object.entries({
      "append acknowledged at its host (synced)": this.#arrivals.acked,
      "append → reader at the hub, live feed": this.#arrivals.live,
      "append → reader at the hub, FLEET": this.#arrivals.fleet,
    }).map(([what, times]) => ({
      what,
      "p50 ms": rounded(percentile(settled(times), 0.5)),
      "p99 ms": rounded(percentile(settled(times), 0.99)),
    }));
  }

  async #listen(router: NatsConnection): Promise<void> {
    router.subscribe("live.host.*", {
      callback: (_, message) => {
        const decoded = decodeEvent(fromLive(message));
        if (decoded.kind === "event") this.#arrived("live", decoded.event.sequence);
      },
    });
    const jsm = await jetstreamManager(router, { checkAPI: false });
    const consumer = await jsm.consumers.add(FLEET, { ack_policy: "none", mem_storage: true });
    await jetstream(router)
      .consumers.getConsumerFromInfo(consumer)
      .consume({
        callback: (message) => {
          const decoded = decodeEvent(storedMessage(message));
          if (decoded.kind === "event") this.#arrived("fleet", decoded.event.sequence);
        },
      });
  }

  #arrived(where: "acked" | "live" | "fleet", sequence: number): void {
    this.#arrivals[where].push(clock.monotonicMs() - (this.#sentMs[sequence] ?? Number.NaN));
  }
}
