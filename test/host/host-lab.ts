import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BusClient, type BusConnection, connectBus } from "#bus";
import {
  type AnswerOf,
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
import { AgentProcess } from "./agent-process.ts";

const ids = new SystemIds(new SystemClock());

/** Real agents of hosts that share this machine, each with a real leaf, real containers and a folder of its own. */
export class HostLab {
  readonly topology: Topology;
  /** Says "began" on stdout, serves until it is told to end, and then ends with code 0. */
  readonly image: OciLayout;
  readonly otherImage: OciLayout;
  readonly folder: string;
  readonly #clusterId = `lab-${ids.randomHex(4)}`;
  readonly #places = new Map<string, HostPlace>();
  readonly #clients: { readonly api: BusClient; readonly scheduler: BusClient };
  readonly #connections: readonly BusConnection[];

  static async open(hostIds: readonly string[]): Promise<HostLab> {
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
    ]);
    return new HostLab(folder, topology, [image, otherImage], connections);
  }

  private constructor(
    folder: string,
    topology: Topology,
    images: readonly [OciLayout, OciLayout],
    connections: readonly [BusConnection, BusConnection],
  ) {
    this.folder = folder;
    this.topology = topology;
    [this.image, this.otherImage] = images;
    this.#connections = connections;
    this.#clients = {
      api: new BusClient(connections[0], ids),
      scheduler: new BusClient(connections[1], ids),
    };
  }

  /** What makes up a host: settings, folder, names in the kernel. Made at first use. */
  async place(hostId: string): Promise<HostPlace> {
    const known = this.#places.get(hostId);
    if (known !== undefined) return known;
    const host = this.topology.hosts.get(hostId);
    if (host === undefined) throw new Error(`no host ${hostId} in this lab`);
    const place = await makePlace(this.folder, this.#clusterId, host, this.#places.size);
    this.#places.set(hostId, place);
    return place;
  }

  /** Starts the host's agent and waits until it is ready. */
  async agent(hostId: string, faults: readonly string[] = []): Promise<AgentProcess> {
    const place = await this.place(hostId);
    return AgentProcess.start(place.settingsFile, place.readyUrl, faults);
  }

  create(hostId: string, wanted: WantedMachine): Promise<Result<AnswerOf<typeof hostCalls.commit>>> {
    const { machineId, commandId, skipLaunch = false, config } = wanted;
    const placed = { machineId, appName: "app", name: machineId, region: "local", instanceId: ids.ulid() };
    const request = { ...placed, epoch: 1, skipLaunch, config: { image: this.image.reference, ...config } };
    return this.#ask("scheduler", hostId, hostCalls.commit, request, commandId);
  }

  command(
    hostId: string,
    machineId: string,
    command: MachineRequest,
    commandId = ids.ulid(),
  ): Promise<Result<AnswerOf<typeof hostCalls.machine>>> {
    return this.#ask("api", hostId, hostCalls.machine, { machineId, command }, commandId);
  }

  ask<C extends Call>(hostId: string, call: C, request: RequestOf<C>): Promise<Result<AnswerOf<C>>> {
    const verb = call.verb as HostVerb;
    const isForScheduler = verb === "offer" || verb === "commit" || verb === "release";
    return this.#ask(isForScheduler ? "scheduler" : "api", hostId, call, request, ids.ulid());
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
    await Promise.all(this.#connections.map((nc) => nc.close()));
    for (const hostId of this.#places.keys()) await this.purge(hostId);
    await this.topology.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  #ask<C extends Call>(
    as: "api" | "scheduler",
    hostId: string,
    call: C,
    request: RequestOf<C>,
    commandId: string,
  ): Promise<Result<AnswerOf<C>>> {
    const subject = subjects.hostCommand(hostId, call.verb as HostVerb);
    return this.#clients[as].call(call, subject, request, metaOf(commandId));
  }
}

const SERVES = "echo began; trap 'exit 0' INT TERM; while :; do sleep 1 & wait $!; done";

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

async function makePlace(folder: string, clusterId: string, host: TestHost, index: number): Promise<HostPlace> {
  const { hostId, leaf, agent } = host;
  const dataDir = join(folder, "hosts", hostId);
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

function metaOf(commandId: string): CallMeta {
  return {
    ...{ commandId, causationId: commandId, correlationId: commandId },
    ...{ actor: "test", deadlineMs: 5_000 },
  };
}

export { ids as labIds };
