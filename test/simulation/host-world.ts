import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { BusClient, type BusConnection, connectBus } from "#bus";
import type { AnswerOf, CallMeta, hostCalls, MachineConfig, MachineRequest, Resources } from "#contracts";
import { Checkpoints, HostLog } from "#event-log";
import { SystemClock, SystemIds } from "#kernel";
import { type Machine, owedCommand } from "#machines";
import {
  GuardedVolumeStore,
  ImagesOnDisk,
  SimulatedContainerRuntime,
  SimulatedImageStore,
  SimulatedKernel,
  type SimulatedLife,
  SimulatedMachineLogs,
  SimulatedMachineNetwork,
  SimulatedPool,
  SimulatedRegistry,
  SimulatedRootfsStore,
  SimulatedVolumeStore,
} from "#runtime";
import type { NatsServer } from "#testing";
import { mintCredential } from "#topology";
import { HostAgent } from "../../apps/host-agent/agent.ts";
import { agentSettingsSchema } from "../../apps/host-agent/settings.ts";
import { Registration } from "../../apps/host-agent/start/registration.ts";
import type { AgentWorld } from "../../apps/host-agent/world.ts";
import { DeathPoint, MortalClock, mortal } from "./host-death.ts";

export const MACHINE_ID = "6e82dd0a000001";
export const IMAGE = "registry.test/app:1";
export const OTHER_IMAGE = "registry.test/app:2";

const ids = new SystemIds(new SystemClock());
let hosts = 0;

/** Where a host is, and what it has. */
export interface HostPlace {
  readonly hostId: string;
  readonly region: string;
  readonly features: readonly string[];
  readonly capacity: Resources;
  /** First two bytes of its machines' addresses. */
  readonly subnet: string;
  /** How long its storage may take for an answer. */
  readonly storageTimeoutMs?: number;
  /** Its agent's way to its leaf. */
  readonly connect: () => Promise<BusConnection>;
}

/** Everything of one host that outlives its agents: a simulated machine room, and a log on a real nats-server. */
export class SimulatedHost {
  readonly hostId: string;
  readonly kernel = new SimulatedKernel();
  readonly registry = new SimulatedRegistry();
  readonly layers: SimulatedRootfsStore["layers"] = new Map();
  readonly logs = new SimulatedMachineLogs();
  /** The disk of its volumes. */
  readonly pool = new SimulatedPool();
  /** Every container that ever was, by its id. */
  readonly everMade = new Map<string, { readonly runs: number }>();
  /** Container of the start whose end a scenario is about. */
  firstStart?: string;
  readonly #disk = new ImagesOnDisk();
  readonly #server: NatsServer;
  readonly #dataDir: string;
  readonly #place: HostPlace;
  readonly #connections: BusConnection[] = [];
  #clock = new MortalClock();
  #life = this.kernel.newLife();

  /** `place`: where it differs from a host whose log stands on `server` itself, without a leaf. */
  static async make(server: NatsServer, place: Partial<HostPlace> = {}): Promise<SimulatedHost> {
    hosts += 1;
    const hostId = place.hostId ?? `sim-${hosts}`;
    const user = `agent-${hostId}`;
    const { seed } = mintCredential("api");
    const connect = () => connectBus({ servers: [server.url], user, seed, name: user });
    const usual = {
      region: "local",
      features: ["container"],
      subnet: "10.213",
      capacity: { cpuMillis: 4_000, memoryMib: 4_096, volumeMib: 65_536 },
    };
    const dataDir = await mkdtemp(join(tmpdir(), "drover-simulated-host-"));
    return new SimulatedHost(server, dataDir, { hostId, connect, ...usual, ...place });
  }

  private constructor(server: NatsServer, dataDir: string, place: HostPlace) {
    this.hostId = place.hostId;
    this.#place = place;
    this.#server = server;
    this.#dataDir = dataDir;
    this.registry.publish(IMAGE, "one", { cmd: ["serve"] });
    this.registry.publish(OTHER_IMAGE, "two", { cmd: ["serve"] });
    const { containers } = this.kernel;
    const set = containers.set.bind(containers);
    containers.set = (id, container) => {
      this.everMade.set(`${id}#${this.everMade.size}`, container);
      return set(id, container);
    };
  }

  /**
   * Starts an agent. The one before has to be dead, unless this one comes `besides` it. `clockAheadMs`: how far its
   * wall clock is ahead of ours.
   */
  async boot(
    point = new DeathPoint(),
    options: { readonly besides?: boolean; readonly clockAheadMs?: number } = {},
  ): Promise<SimulatedAgent> {
    const settings = agentSettingsSchema.parse({
      clusterId: "sim",
      hostId: this.hostId,
      region: this.#place.region,
      subnet: this.#place.subnet,
      dataDir: this.#dataDir,
      nats: { servers: [this.#server.url], seedFile: "none" },
      monitorUrl: this.#server.monitorUrl,
      listen: { host: "127.0.0.1", port: 1 },
      diskReserveMib: 0,
    });
    this.#clock = new MortalClock(options.clockAheadMs);
    if (options.besides !== true) this.#life = this.kernel.newLife((place) => point.pass(place));
    const world = await this.#world(point, this.#clock, this.#life);
    const ended = Promise.withResolvers<string>();
    const logger = pino({ level: "silent" });
    const agent = await HostAgent.open(settings, world, { logger, onEnd: ended.resolve });
    await agent.start();
    return new SimulatedAgent(agent, world.nc, point, ended.promise);
  }

  /** The agent is gone, with all that it has under way. */
  async bury(): Promise<void> {
    this.kernel.crash();
    this.#clock.bury();
    await Promise.all(this.#connections.splice(0).map((nc) => nc.close()));
  }

  async remove(): Promise<void> {
    await this.bury();
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async #world(point: DeathPoint, clock: MortalClock, life: SimulatedLife): Promise<AgentWorld> {
    const { hostId } = this;
    const { region, features, capacity, subnet } = this.#place;
    const nc = await this.#connect();
    const images = new SimulatedImageStore(this.registry, this.#disk);
    const log = await HostLog.open(nc, { hostId, clock, ids });
    const identity = { hostId, clusterId: "sim", region, subnet };
    return {
      clock,
      ids,
      identity: { ...identity, agentVersion: "test", bootId: "boot-1" },
      capabilities: {
        capacity,
        maxMachines: 100,
        features,
      },
      nc,
      checkpoints: new Checkpoints(join(this.#dataDir, "checkpoints")),
      registration: new Registration(new BusClient(nc, ids), clock, ids, hostId, region),
      log: mortal("log", log, ["take"], point),
      ports: {
        images: mortal("images", images, ["pull"], point),
        rootfs: mortal("rootfs", new SimulatedRootfsStore(images, this.layers), ["prepare", "remove"], point),
        network: new SimulatedMachineNetwork(life),
        containers: mortal("containers", new SimulatedContainerRuntime(life, clock), ["launch"], point),
        logs: mortal("logs", this.logs, ["prepare", "remove"], point),
        volumes: await this.#volumes(point, clock),
      },
    };
  }

  async #volumes(point: DeathPoint, clock: MortalClock): Promise<GuardedVolumeStore> {
    const calls = ["create", "extend", "remove", "snapshot", "restore", "removeSnapshot"] as const;
    const store = mortal("volumes", new SimulatedVolumeStore(this.pool), calls, point);
    const timeoutMs = this.#place.storageTimeoutMs;
    return GuardedVolumeStore.open({ store, clock, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  }

  async #connect(): Promise<BusConnection> {
    const nc = await this.#place.connect();
    this.#connections.push(nc);
    return nc;
  }
}

/** An agent of a simulated host, as its callers see it. */
export class SimulatedAgent {
  readonly agent: HostAgent;
  readonly nc: BusConnection;
  readonly point: DeathPoint;
  /** Why it ended by itself. */
  readonly ended: Promise<string>;

  constructor(agent: HostAgent, nc: BusConnection, point: DeathPoint, ended: Promise<string>) {
    this.agent = agent;
    this.nc = nc;
    this.point = point;
    this.ended = ended;
  }

  get machine(): Machine | undefined {
    return this.agent.ledger.state.machines.get(MACHINE_ID);
  }

  create(commandId: string, config: Partial<MachineConfig> = {}, skipLaunch = false) {
    return this.agent.placement.commit(
      {
        machineId: MACHINE_ID,
        appName: "app",
        name: "one",
        region: "local",
        instanceId: "01INSTANCE",
        config: { image: IMAGE, ...config },
        skipLaunch,
        epoch: 1,
      },
      metaOf(commandId),
    );
  }

  command(commandId: string, command: MachineRequest): Promise<AnswerOf<typeof hostCalls.machine>> {
    return this.agent.machines.command({ machineId: MACHINE_ID, command }, metaOf(commandId));
  }

  /** Resolves once the machine is at rest and nothing is owed to it; to undefined when the agent dies before. */
  async settled(): Promise<Machine | undefined> {
    const rests = new Promise<Machine>((resolve) => {
      const look = () => {
        const { machine } = this;
        if (machine === undefined || machine.operation !== undefined || owedCommand(machine)) return;
        forget();
        resolve(machine);
      };
      const forget = this.agent.ledger.onEvent(look);
      look();
    });
    return Promise.race([rests, this.point.died.then(() => undefined)]);
  }
}

export function metaOf(commandId: string): CallMeta {
  const correlation = { causationId: commandId, correlationId: commandId };
  return { commandId, ...correlation, actor: "test", deadlineMs: 10_000 };
}
