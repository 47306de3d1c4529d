import type { INestMicroservice } from "@nestjs/common";
import { pino } from "pino";
import { connectBus } from "#bus";
import type { Host } from "#hosts";
import { SystemClock, SystemIds } from "#kernel";
import type { TestHost, WireTap } from "#testing";
import { serveAgent } from "../../apps/host-agent/serve.ts";
import { type HostPlace, type SimulatedAgent, SimulatedHost } from "../simulation/host-world.ts";

const logger = pino({ level: "silent" });
const ids = new SystemIds(new SystemClock());

type OpenTap = (target: { readonly port: number }) => Promise<WireTap>;

/** One host of a plane: its leaf is real, its containers are not. An agent may be killed and another one started. */
export class PlaneHost {
  readonly hostId: string;
  readonly #host: SimulatedHost;
  readonly #openTap: OpenTap;
  readonly #leaf: TestHost;
  #tap!: WireTap;
  #agent!: SimulatedAgent;
  #app: INestMicroservice | undefined;

  static async make(leaf: TestHost, openTap: OpenTap, more: Partial<HostPlace>): Promise<PlaneHost> {
    let made: PlaneHost | undefined;
    const connect = () => connectBus({ ...leaf.bus, servers: [made!.#tap.url] });
    const host = await SimulatedHost.make(leaf.leaf, {
      hostId: leaf.hostId,
      region: leaf.region,
      connect,
      ...more,
    });
    made = new PlaneHost(leaf, host, openTap);
    return made;
  }

  private constructor(leaf: TestHost, host: SimulatedHost, openTap: OpenTap) {
    this.hostId = leaf.hostId;
    this.#leaf = leaf;
    this.#host = host;
    this.#openTap = openTap;
  }

  /** What runs on it, whatever anybody thinks. */
  get kernel(): SimulatedHost["kernel"] {
    return this.#host.kernel;
  }

  /** The disk of its volumes. */
  get pool(): SimulatedHost["pool"] {
    return this.#host.pool;
  }

  /** The host as it folds itself. */
  get state(): Host {
    return this.#agent.agent.ledger.state;
  }

  /** Whether somebody runs a program in one of its machines. */
  get isOccupied(): boolean {
    return [...this.state.machines.keys()].some((machineId) => this.#agent.agent.execs.isIn(machineId));
  }

  /** Hears of each event of its log, once it stands there. */
  readonly onEvent = (listener: () => void): void => {
    this.#agent.agent.ledger.onEvent(listener);
  };

  async start(): Promise<void> {
    this.#tap = await this.#openTap(this.#leaf.leaf);
    this.#agent = await this.#host.boot();
    const { nc, agent } = this.#agent;
    this.#app = await serveAgent(agent, { nc, ids }, this.#leaf, logger);
  }

  /** The agent dies at once; containers run on (I5). */
  kill(): void {
    this.#tap.cut();
    void this.#host.bury();
    void this.#app?.close();
  }

  async remove(): Promise<void> {
    this.kill();
    await this.#host.remove();
  }
}
