import { mkdir, readdir, statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { type Clock, type Ids, RefusedError, refusal } from "#kernel";
import type { Cluster, Listen } from "./cluster-file.ts";
import { readCluster, writeCluster } from "./cluster-file.ts";
import { Layout } from "./layout.ts";
import { growCluster, makeCluster } from "./make-cluster.ts";
import { isFree } from "./ports.ts";
import { findByArgument, signalProcess } from "./process-table.ts";
import { type Programs, processesOf, type ServiceProcess } from "./processes.ts";
import type { Report } from "./supervised-process.ts";
import { Supervisor, waitUntilReady } from "./supervisor.ts";
import { SupervisorLock } from "./supervisor-lock.ts";
import { type HostShare, writeSettings } from "./write-settings.ts";

export interface UpOptions {
  /** Absolute. */
  readonly dataDir: string;
  /** As asked for; undefined keeps what the cluster has, or makes three. */
  readonly hosts: number | undefined;
  readonly nats: Listen | undefined;
  readonly api: Listen | undefined;
  readonly http: Listen | undefined;
  readonly allowUnsafe: boolean;
  readonly readyTimeoutMs: number;
}

/** A cluster that serves. */
export interface RunningCluster {
  readonly cluster: Cluster;
  /** Stops the services; machines and data stay. */
  stop(): Promise<void>;
}

const DEFAULT_HOSTS = 3;
const DEFAULT_NATS: Listen = { host: "127.0.0.1", port: 4222 };
const DEFAULT_API: Listen = { host: "127.0.0.1", port: 4280 };
const DEFAULT_HTTP: Listen = { host: "127.0.0.1", port: 8080 };
/** Part of this machine's memory that its hosts may promise together. */
const SHARED_MEMORY = 0.8;
/** Below this the log itself would be in danger (F34). */
const LEAST_FREE_BYTES = 512 * 1024 * 1024;
/** A clock before this was never set (F20): the day on which this was written. */
const EARLIEST_MS = Date.UTC(2026, 10, 1);
const A_DAY_MS = 86_400_000;

/** Makes the cluster if there is none, adopts what runs of it, starts the rest, and waits until all of it serves. */
export async function runCluster(
  options: UpOptions,
  programs: Programs,
  report: Report,
  clock: Clock,
  ids: Ids,
): Promise<RunningCluster> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  await assertRoom(options.dataDir);
  const lock = await SupervisorLock.take(options.dataDir);
  try {
    const layout = new Layout(options.dataDir);
    const before = await readCluster(layout);
    if (before === undefined) await assertEmpty(options.dataDir);
    assertClock(clock.nowMs(), before);
    const cluster = await wantedCluster(before, options, clock, ids);
    const services = processesOf(cluster, layout, programs);
    await assertPortsFree(cluster, services);
    if (cluster !== before) await writeCluster(layout, cluster);
    await writeSettings(cluster, layout, shareOf(cluster), options.allowUnsafe, ids);
    reloadHub(services);
    const supervisor = new Supervisor(services, layout, report);
    supervisor.start();
    const stop = async () => {
      await supervisor.stop();
      lock.release();
    };
    await waitUntilReady(services, layout, options.readyTimeoutMs).catch(async (error) => {
      await stop();
      throw error;
    });
    return { cluster, stop };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function wantedCluster(
  before: Cluster | undefined,
  options: UpOptions,
  clock: Clock,
  ids: Ids,
): Promise<Cluster> {
  const hosts = options.hosts ?? before?.hosts.length ?? DEFAULT_HOSTS;
  if (before === undefined) {
    const { nats = DEFAULT_NATS, api = DEFAULT_API, http = DEFAULT_HTTP } = options;
    return makeCluster({ hosts, nats, api, http }, clock, ids);
  }
  if (hosts < before.hosts.length) {
    const message = `the cluster has ${before.hosts.length} hosts and \`up\` takes none away: ask for at least as many`;
    throw new RefusedError(refusal("invalid", message));
  }
  const grown = await growCluster(before, hosts, ids);
  const { nats = grown.nats, api = grown.api, http = grown.http } = options;
  const same = [nats.port === grown.nats.port, api.port === grown.api.port, http.port === grown.http.port];
  return same.every(Boolean) && grown === before ? before : { ...grown, nats, api, http };
}

/** Ports that users chose must not be somebody else's: of our own running processes they may be. */
async function assertPortsFree(cluster: Cluster, services: readonly ServiceProcess[]): Promise<void> {
  const runs = (name: string) =>
    services.some((service) => service.name === name && findByArgument(service.flag, service.settings));
  const wanted = [
    { listen: cluster.nats, process: "hub", flag: "--nats" },
    { listen: cluster.api, process: "api", flag: "--api" },
  ];
  for (const { listen, process, flag } of wanted) {
    if (runs(process) || (await isFree(listen))) continue;
    const message = `${listen.host}:${listen.port} is taken by another program: free it, or choose another with ${flag} HOST:PORT`;
    throw new RefusedError(refusal("port_taken", message));
  }
}

/** A hub that runs already learns of hosts that joined. */
function reloadHub(services: readonly ServiceProcess[]): void {
  const hub = services.find((service) => service.name === "hub");
  const running = hub && findByArgument(hub.flag, hub.settings);
  if (running !== undefined) signalProcess(running, "SIGHUP");
}

/**
 * Memory is divided, because what is promised must be there (I8). Processor time is not: hosts of one machine share
 * it by weight, and a machine that wants a whole CPU shall find a host.
 */
function shareOf(cluster: Cluster): HostShare {
  const memoryMib = Math.floor((totalmem() * SHARED_MEMORY) / cluster.hosts.length / (1024 * 1024));
  return { cpuMillis: availableParallelism() * 1000, memoryMib };
}

async function assertRoom(dataDir: string): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir);
  const freeBytes = bavail * bsize;
  if (freeBytes >= LEAST_FREE_BYTES) return;
  const mib = (bytes: number) => Math.floor(bytes / (1024 * 1024));
  const message = `the disk of ${dataDir} has ${mib(freeBytes)} MiB left and the log needs ${mib(LEAST_FREE_BYTES)}: free some, or name another folder with --data`;
  throw new RefusedError(refusal("disk_full", message));
}

/** A purge removes the whole folder: it must never have been anybody else's. */
async function assertEmpty(dataDir: string): Promise<void> {
  const foreign = (await readdir(dataDir)).filter((name) => name !== "logs" && name !== "cluster.json.tmp");
  if (foreign.length === 0) return;
  const message = `${dataDir} is not empty and holds no cluster: name an empty or a new folder with --data`;
  throw new RefusedError(refusal("invalid", message));
}

function assertClock(nowMs: number, cluster: Cluster | undefined): void {
  const earliestMs = cluster === undefined ? EARLIEST_MS : cluster.createdAtMs - A_DAY_MS;
  if (nowMs >= earliestMs) return;
  const message = `the clock says ${new Date(nowMs).toISOString()}, which cannot be: set it, then try again`;
  throw new RefusedError(refusal("invalid", message));
}
