import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BusClient, type BusConnection, connectBus } from "#bus";
import { hostCalls, subjects } from "#contracts";
import type { Host } from "#hosts";
import { hostFromJson } from "#hosts";
import { SystemClock, SystemIds } from "#kernel";
import { isTerminal, isTransient } from "#machines";
import { HostNames, startOfContainer } from "#runtime";
import { type ShownMachine, type TestCluster, toolPath } from "#testing";
import type { ClusterParts } from "./parts.ts";

const run = promisify(execFile);
const ids = new SystemIds(new SystemClock());

/**
 * How two pictures differ. "lie": the API says something else than the owner. "unfinished": something is under way.
 * "missing", "orphan": the kernel has less, or more, than the host says.
 */
export interface Disagreement {
  readonly kind: "lie" | "unfinished" | "missing" | "orphan";
  readonly text: string;
}

/** Three pictures of a cluster that have to be one: what the API says, what each host says, and what the kernel has. */
export class Reality {
  readonly #cluster: TestCluster;
  readonly #parts: ClusterParts;
  readonly #nc: BusConnection;
  readonly #bus: BusClient;

  static async of(cluster: TestCluster, parts: ClusterParts): Promise<Reality> {
    const seed = (await readFile(parts.layout.seedFile("api"), "utf8")).trim();
    const servers = [`nats://127.0.0.1:${cluster.natsPort}`];
    return new Reality(cluster, parts, await connectBus({ servers, user: "api", seed, name: "reality" }));
  }

  private constructor(cluster: TestCluster, parts: ClusterParts, nc: BusConnection) {
    this.#cluster = cluster;
    this.#parts = parts;
    this.#nc = nc;
    this.#bus = new BusClient(nc, ids);
  }

  close(): Promise<void> {
    return this.#nc.close();
  }

  /** Where the pictures differ; nowhere when all is well and at rest. */
  async disagreements(): Promise<Disagreement[]> {
    const shown = await this.#cluster.api<ShownMachine[]>("GET", "/drover/v1/machines");
    if (shown.status !== 200) return all("lie", [`the API answers ${shown.status}`]);
    const isStale = shown.headers.get("drover-stale") !== null;
    const stale = all("lie", isStale ? ["the API says that it is stale"] : []);
    const hosts = this.#parts.cluster.hosts.map(({ hostId }) => hostId);
    const perHost = await Promise.all(hosts.map((hostId) => this.#ofHost(hostId, shown.body)));
    return [...stale, ...perHost.flat()];
  }

  async #ofHost(hostId: string, shown: readonly ShownMachine[]): Promise<Disagreement[]> {
    const host = await this.inspect(hostId);
    if (host === undefined) return all("missing", [`${hostId} does not answer`]);
    const machines = [...host.machines.values()].filter(({ state }) => !isTerminal(state));
    const own = machines.map(({ id, state }) => `${id} ${state}`);
    const told = shown
      .filter(({ drover }) => drover.host === hostId)
      .map(({ id, state }) => `${id} ${state}`);
    const started = machines.filter(({ state }) => state === "started");
    const expected = started.map(({ id, startId }) => `${id}.${startId}`);
    const ready = machines.map(({ id, rootfsKey }) => `${id}.${rootfsKey}`);
    const kernel = await kernelOf(
      new HostNames(this.#parts.cluster.clusterId, hostId),
      this.#parts.layout.hostDir(hostId),
    );
    const exist = new Set(machines.map(({ id }) => id));
    const stranger = (what: string, found: readonly string[]) =>
      found.filter((id) => !exist.has(id)).map((id) => `${hostId}: ${what} of no machine: ${id}`);
    return [
      ...all("lie", differences(`${hostId} says, the API does not`, own, told)),
      ...all("lie", differences(`the API says, ${hostId} does not`, told, own)),
      ...all("missing", differences(`${hostId} says started, no container runs`, expected, kernel.running)),
      ...all(
        "orphan",
        differences(`${hostId} has containers of no start`, kernel.containers, [...expected, ...ready]),
      ),
      ...all("orphan", stranger("network", kernel.networks)),
      ...all("orphan", stranger("mount", kernel.mounts)),
      ...all("orphan", stranger("files", kernel.layers)),
      ...all("unfinished", unfinished(host)),
    ];
  }

  /** The host as it folds itself. */
  async inspect(hostId: string): Promise<Host | undefined> {
    const id = ids.ulid();
    const meta = { commandId: id, correlationId: id, causationId: id, actor: "test", deadlineMs: 2_000 };
    const subject = subjects.hostCommand(hostId, "inspect");
    const result = await this.#bus.call(hostCalls.inspect, subject, {}, meta);
    return result.kind === "answer" ? hostFromJson(result.answer.host) : undefined;
  }
}

function all(kind: Disagreement["kind"], texts: readonly string[]): Disagreement[] {
  return texts.map((text) => ({ kind, text }));
}

function unfinished({ id: hostId, machines, reservations }: Host): string[] {
  const moving = [...machines.values()].filter(({ state }) => isTransient(state));
  return [
    ...moving.map(({ id, state }) => `${hostId}: ${id} is ${state}`),
    ...[...reservations.keys()].map((id) => `${hostId}: reservation ${id}`),
  ];
}

function differences(what: string, these: readonly string[], those: readonly string[]): string[] {
  return these.filter((item) => !those.includes(item)).map((item) => `${what}: ${item}`);
}

interface Kernel {
  readonly containers: readonly string[];
  readonly running: readonly string[];
  /** Machine ids. */
  readonly networks: readonly string[];
  readonly mounts: readonly string[];
  readonly layers: readonly string[];
}

/** Looks with the system's own tools, not through the adapters. */
async function kernelOf(names: HostNames, hostDir: string): Promise<Kernel> {
  const containers = await containersOf(names);
  const machines = join(hostDir, "machines");
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").flatMap((line) => {
    const path = line.split(" ")[1] ?? "";
    return path.startsWith(`${machines}/`) ? [path.slice(machines.length + 1).split("/")[0]!] : [];
  });
  return {
    containers: containers.map(({ id }) => id).filter((id) => startOfContainer(id) !== undefined),
    running: containers.filter(({ status }) => status === "running").map(({ id }) => id),
    networks: (await list("/run/netns")).flatMap((netns) => names.machineOfNetns(netns) ?? []),
    mounts,
    layers: (await list(machines)).filter((name) => !name.startsWith(".")),
  };
}

interface Listed {
  readonly id: string;
  readonly status: string;
}

/** Its list fails when a container goes while it is being made. */
async function containersOf(names: HostNames): Promise<readonly Listed[]> {
  const list = () => run(toolPath("runc"), ["--root", names.runtimeRoot, "list", "--format", "json"]);
  const { stdout } = await list().catch(list).catch(list);
  return (JSON.parse(stdout) ?? []) as Listed[];
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
