import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BusClient, type BusConnection, connectBus } from "#bus";
import {
  type AnswerOf,
  bidCall,
  type Call,
  type CallMeta,
  type HostVerb,
  hostCalls,
  type MachineConfig,
  type MachineRequest,
  type RequestOf,
  subjects,
} from "#contracts";
import { type Result, SystemClock, SystemIds } from "#kernel";
import { type Machine, owedCommand } from "#machines";
import { HostNames, purgeHost } from "#runtime";
import {
  freePort,
  type OciLayout,
  startTopology,
  type TestHost,
  type Topology,
  writeOciLayout,
} from "#testing";
import { AGENT, AGENT_WITH_FAULTS, LabProcess, SCHEDULER } from "./lab-process.ts";

const ids = new SystemIds(new SystemClock());

/** Real agents of hosts that share this machine, each with a real leaf, real containers and a folder of its own. */
export class HostLab {
  readonly topology: Topology;
  /** Says "began" on stdout once it can be told to end; then ends with code 0. */
  readonly image: OciLayout;
  readonly otherImage: OciLayout;
  readonly folder: string;
  readonly #dataIn: string;
  readonly clusterId = `lab-${ids.randomHex(4)}`;
  readonly #processes: LabProcess[] = [];
  readonly #places = new Map<string, HostPlace>();
  /** The scheduler's own connection, which may read what the hub holds. */
  readonly scheduling: BusConnection;
  readonly #clients: Readonly<Record<Caller, BusClient>>;
  readonly #connections: readonly BusConnection[];

  /** `dataIn`: a folder for the hosts' data directories, where that is not to be the lab's own. */
  static async open(
    hostIds: readonly string[],
    options: { readonly dataIn?: string } = {},
  ): Promise<HostLab> {
    const folder = await mkdtemp(join(tmpdir(), "drover-host-lab-"));
    const topology = await startTopology({ hosts: hostIds });
    const image = await writeOciLayout(join(folder, "image"), { cmd: ["sh", "-c", SERVES] });
    const otherImage = await writeOciLayout(join(folder, "other"), {
      cmd: ["sh", "-c", SERVES],
      env: { OTHER: "1" },
    });
    const connections = await Promise.all([
      connectBus(topology.bus("api")),
      connectBus(topology.bus("scheduler")),
      connectBus(topology.bus("volumes")),
    ]);
    return new HostLab(folder, options.dataIn ?? folder, topology, [image, otherImage], connections);
  }

  private constructor(
    folder: string,
    dataIn: string,
    topology: Topology,
    images: readonly [OciLayout, OciLayout],
    connections: readonly [BusConnection, BusConnection, BusConnection],
  ) {
    this.folder = folder;
    this.#dataIn = dataIn;
    this.topology = topology;
    [this.image, this.otherImage] = images;
    this.#connections = connections;
    this.scheduling = connections[1];
    this.#clients = {
      api: new BusClient(connections[0], ids),
      scheduler: new BusClient(connections[1], ids),
      volumes: new BusClient(connections[2], ids),
    };
  }

  /** What makes up a host: settings, folder, names in the kernel. Made at first use. */
  async place(hostId: string): Promise<HostPlace> {
    const known = this.#places.get(hostId);
    if (known !== undefined) return known;
    const host = this.topology.hosts.get(hostId);
    if (host === undefined) throw new Error(`no host ${hostId} in this lab`);
    const place = await makePlace(this, this.#dataIn, host, this.#places.size);
    this.#places.set(hostId, place);
    return place;
  }

  /**
   * Starts the host's agent; resolves when it is ready. `faults`: options of `agent-with-faults`, without any it is the
   * real one. Throws with what it said when it ends instead.
   */
  async agent(hostId: string, faults: readonly string[] = []): Promise<LabProcess> {
    const agent = await this.tryAgent(hostId, faults);
    if (agent.isGone) throw new Error(`the agent of ${hostId} ended with ${agent.end}: ${agent.output}`);
    return agent;
  }

  /** As `agent`, for one that may end. */
  async tryAgent(hostId: string, faults: readonly string[] = []): Promise<LabProcess> {
    const program = faults.length === 0 ? AGENT : AGENT_WITH_FAULTS;
    return this.#started(LabProcess.start(program, await this.place(hostId), faults));
  }

  /** Starts the real scheduler at the hub. */
  async scheduler(): Promise<LabProcess> {
    const { hub, bus } = this.topology;
    const [seedFile, settingsFile] = [
      join(this.folder, "scheduler.seed"),
      join(this.folder, "scheduler.json"),
    ];
    const port = await freePort();
    const settings = {
      ...{ clusterId: this.clusterId, region: "local", dataDir: join(this.folder, "scheduler") },
      nats: { servers: [hub.url], seedFile },
      monitorUrl: hub.monitorUrl,
      listen: { host: "127.0.0.1", port },
    };
    await writeFile(seedFile, bus("scheduler").seed, { mode: 0o600 });
    await writeFile(settingsFile, JSON.stringify(settings), { mode: 0o600 });
    const readyUrl = `http://127.0.0.1:${port}/readyz`;
    return this.#started(LabProcess.start(SCHEDULER, { settingsFile, readyUrl }));
  }

  create(hostId: string, wanted: WantedMachine): Promise<Result<AnswerOf<typeof hostCalls.commit>>> {
    const { machineId, commandId, skipLaunch = false, config } = wanted;
    const placed = { machineId, appName: "app", name: machineId, region: "local", instanceId: ids.ulid() };
    const request = { ...placed, epoch: 1, skipLaunch, config: { image: this.image.reference, ...config } };
    return insist(() => this.#ask("scheduler", hostId, hostCalls.commit, request, commandId));
  }

  command(
    hostId: string,
    machineId: string,
    command: MachineRequest,
    commandId = ids.ulid(),
  ): Promise<Result<AnswerOf<typeof hostCalls.machine>>> {
    return insist(() => this.#ask("api", hostId, hostCalls.machine, { machineId, command }, commandId));
  }

  ask<C extends Call>(hostId: string, call: C, request: RequestOf<C>): Promise<Result<AnswerOf<C>>> {
    const caller = CALLERS[call.verb as HostVerb] ?? "api";
    return this.#ask(caller, hostId, call, request, ids.ulid());
  }

  /** What the hosts of the region say to a request for bids, all of them. */
  bids(wanted: RequestOf<typeof bidCall>): Promise<AnswerOf<typeof bidCall>[]> {
    const meta = { ...metaOf(ids.ulid()), deadlineMs: 20_000 };
    const isEnough = (answers: readonly unknown[]) => answers.length === this.topology.hosts.size;
    return this.#clients.scheduler.scatter(bidCall, subjects.bid("local"), wanted, meta, isEnough);
  }

  async machine(hostId: string, machineId: string): Promise<Machine | undefined> {
    const got = await this.#ask("api", hostId, hostCalls.get, { machineId }, ids.ulid());
    if (got.kind === "answer") return got.answer.machine as unknown as Machine;
    if (got.refusal.code === "not_found") return undefined;
    throw new Error(`get ${machineId}: ${got.refusal.message}`);
  }

  /** Asks until the machine is at rest and nothing is owed to it. */
  async settled(hostId: string, machineId: string): Promise<Machine> {
    return this.until(hostId, machineId, ({ operation }, machine) => {
      return operation === undefined && owedCommand(machine) === undefined;
    });
  }

  /** Asks until the machine is as wanted. The agent may be away meanwhile. */
  async until(
    hostId: string,
    machineId: string,
    isWanted: (machine: Machine, same: Machine) => boolean,
  ): Promise<Machine> {
    for (;;) {
      const machine = await this.machine(hostId, machineId).catch(() => undefined);
      if (machine !== undefined && isWanted(machine, machine)) return machine;
      await new Promise((done) => setTimeout(done, 30));
    }
  }

  /** Takes the machine's host away with all that runs on it; what could not be removed, one line each. */
  async purge(hostId: string): Promise<string[]> {
    const { names, dataDir } = await this.place(hostId);
    return purgeHost(names, dataDir, () => {});
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()));
    await Promise.all(this.#connections.map((nc) => nc.close()));
    for (const hostId of this.#places.keys()) await this.purge(hostId);
    await this.topology.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #started(starting: Promise<LabProcess>): Promise<LabProcess> {
    const started = await starting;
    this.#processes.push(started);
    return started;
  }

  #ask<C extends Call>(
    as: Caller,
    hostId: string,
    call: C,
    request: RequestOf<C>,
    commandId: string,
  ): Promise<Result<AnswerOf<C>>> {
    const subject = subjects.hostCommand(hostId, call.verb as HostVerb);
    return this.#clients[as].call(call, subject, request, metaOf(commandId));
  }
}

type Caller = "api" | "scheduler" | "volumes";

/** Who may ask a host what; the API else. */
const CALLERS: Partial<Record<HostVerb, Caller>> = {
  ...{ offer: "scheduler", commit: "scheduler", release: "scheduler", "commit-volume": "scheduler" },
  ...{ volume: "volumes", snapshot: "volumes" },
};

const SERVES = "trap 'exit 0' INT TERM; echo began; while :; do sleep 1 & wait $!; done";

export interface WantedMachine {
  readonly machineId: string;
  readonly commandId: string;
  readonly config?: Partial<MachineConfig>;
  readonly skipLaunch?: boolean;
}

export interface HostPlace {
  readonly names: HostNames;
  readonly dataDir: string;
  readonly settingsFile: string;
  readonly readyUrl: string;
}

async function makePlace(
  { folder, clusterId }: HostLab,
  dataIn: string,
  host: TestHost,
  index: number,
): Promise<HostPlace> {
  const { hostId, leaf, agent } = host;
  const dataDir = join(dataIn, "hosts", hostId);
  await mkdir(dataDir, { recursive: true });
  const seedFile = join(folder, `${hostId}.seed`);
  const settingsFile = join(folder, `${hostId}.json`);
  const port = await freePort();
  await writeFile(seedFile, agent.seed, { mode: 0o600 });
  const settings = {
    ...{ clusterId, hostId, region: "local", subnet: `10.${150 + (process.pid % 50) + index}`, dataDir },
    nats: { servers: [leaf.url], seedFile },
    monitorUrl: leaf.monitorUrl,
    listen: { host: "127.0.0.1", port },
    capacity: { cpuMillis: 2_000, memoryMib: 2_048 },
    diskReserveMib: 16,
  };
  await writeFile(settingsFile, JSON.stringify(settings), { mode: 0o600 });
  const names = new HostNames(clusterId, hostId);
  return { names, dataDir, settingsFile, readyUrl: `http://127.0.0.1:${port}/readyz` };
}

const PATIENCE = 100;

/** Asks the same again while nobody answers, as callers do: a busy machine loses a connection now and then. */
async function insist<T>(ask: () => Promise<Result<T>>): Promise<Result<T>> {
  let result = await ask();
  for (let tries = 1; tries < PATIENCE && result.kind === "refused"; tries += 1) {
    const { code } = result.refusal;
    if (code !== "unreachable" && code !== "deadline_exceeded") break;
    await new Promise((done) => setTimeout(done, 100));
    result = await ask();
  }
  return result;
}

function metaOf(commandId: string): CallMeta {
  return {
    ...{ commandId, causationId: commandId, correlationId: commandId },
    ...{ actor: "test", deadlineMs: 10_000 },
  };
}

export { ids as labIds };
