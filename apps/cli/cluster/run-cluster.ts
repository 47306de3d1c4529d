import { readdir, rm, statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { type Clock, type Ids, RefusedError, refusal } from "#kernel";
import { addressOf } from "../settings.ts";
import type { Cluster, Listen } from "./cluster-file.ts";
import { readCluster, writeCluster } from "./cluster-file.ts";
import { makeFolder } from "./files.ts";
import { Layout } from "./layout.ts";
import { growCluster, growRouters, makeCluster, withVolumes } from "./make-cluster.ts";
import { findByArgument, signalProcess } from "./process-table.ts";
import { type Programs, processesOf, type ServiceProcess } from "./processes.ts";
import { settlePorts } from "./settle-ports.ts";
import { type Report, STOP_PATIENCE_MS, stopProcess } from "./supervised-process.ts";
import { Supervisor } from "./supervisor.ts";
import { SupervisorLock } from "./supervisor-lock.ts";
import { type HostShare, writeSettings } from "./write-settings.ts";

export interface UpOptions {
  /** Absolute, without links in it. */
  readonly dataDir: string;
  /** As asked for; undefined keeps what the cluster has, or makes three. */
  readonly hosts: number | undefined;
  /** Likewise, or makes one. */
  readonly routers: number | undefined;
  readonly nats: Listen | undefined;
  readonly api: Listen | undefined;
  readonly http: Listen | undefined;
  /** Whether an empty cluster is given the demo app. */
  readonly demo: boolean;
  readonly allowUnsafe: boolean;
  /** Postgres for the read model. May hold a password: it stands on no command line, and is printed nowhere. */
  readonly databaseUrl?: string | undefined;
  readonly readyTimeoutMs: number;
}

/** A cluster that serves. */
export interface RunningCluster {
  readonly cluster: Cluster;
  /** Stops the services; machines and data stay. */
  stop(): Promise<void>;
}

const DEFAULT_HOSTS = 3;
const DEFAULT_ROUTERS = 1;
const DEFAULT_NATS: Listen = { host: "127.0.0.1", port: 4222 };
const DEFAULT_API: Listen = { host: "127.0.0.1", port: 4280 };
const DEFAULT_HTTP: Listen = { host: "127.0.0.1", port: 8080 };
/** Part of this machine's memory that its hosts may promise together. */
const SHARED_MEMORY = 0.8;
/** Below this the log itself would be in danger (F34). */
const LEAST_FREE_BYTES = 512 * 1024 * 1024;
/** A clock outside of these was never set (F20). */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
const LATEST_MS = Date.UTC(2100, 0, 1);
const A_DAY_MS = 86_400_000;

/**
 * Makes the cluster if there is none, adopts what runs of it, starts the rest, and waits until all of it serves. When
 * that fails, or `signal` fires, the services are stopped again; what was refused leaves no data directory behind.
 */
export async function runCluster(
  options: UpOptions,
  programs: Programs,
  report: Report,
  clock: Clock,
  ids: Ids,
  signal: AbortSignal = new AbortController().signal,
): Promise<RunningCluster> {
  const layout = new Layout(options.dataDir);
  await makeFolder(options.dataDir);
  const lock = await SupervisorLock.take(options.dataDir);
  try {
    await assertRoom(options.dataDir);
    const before = await readCluster(layout);
    if (before === undefined) await assertEmpty(options.dataDir);
    assertClock(clock.nowMs(), before);
    const cluster = await wantedCluster(before, options, programs, clock, ids);
    const services = processesOf(cluster, layout, programs);
    if (JSON.stringify(cluster) !== JSON.stringify(before)) await writeCluster(layout, cluster);
    const changed = await writeSettings(cluster, layout, { ...options, share: shareOf(cluster) }, ids);
    await renew(
      services.filter((service) => changed.has(service.settings)),
      before,
      cluster,
      report,
    );
    const missing = services.filter(({ flag, settings }) => findByArgument(flag, settings) === undefined);
    if (missing.length > 0) report(`starting ${missing.map(({ name }) => name).join(", ")}`);
    const supervisor = new Supervisor(services, layout, report);
    const stop = async () => {
      await supervisor.stop();
      lock.release();
    };
    supervisor.start();
    await supervisor.ready(options.readyTimeoutMs, signal).catch(async (error) => {
      await stop();
      throw error;
    });
    return { cluster, stop };
  } catch (error) {
    await removeUnmade(layout);
    lock.release();
    throw error;
  }
}

async function wantedCluster(
  before: Cluster | undefined,
  options: UpOptions,
  programs: Programs,
  clock: Clock,
  ids: Ids,
): Promise<Cluster> {
  const hosts = countOf("hosts", options.hosts, before, DEFAULT_HOSTS);
  const routers = countOf("routers", options.routers, before, DEFAULT_ROUTERS);
  const nats = options.nats ?? before?.nats ?? DEFAULT_NATS;
  const api = options.api ?? before?.api ?? DEFAULT_API;
  const http = options.http ?? before?.http ?? DEFAULT_HTTP;
  const wanted =
    before === undefined
      ? await makeCluster({ hosts, routers, nats, api, http }, clock, ids)
      : await grown({ ...before, nats, api, http }, hosts, routers, ids);
  return settlePorts(wanted, before, runningOf(before, options.dataDir, programs), ids);
}

/** The cluster with what it did not have before. */
async function grown(cluster: Cluster, hosts: number, routers: number, ids: Ids): Promise<Cluster> {
  return growRouters(await growCluster(await withVolumes(cluster, ids), hosts, ids), routers, ids);
}

/** How many there shall be: as asked for, else as many as there are, else `usual`. */
function countOf(
  what: "hosts" | "routers",
  asked: number | undefined,
  before: Cluster | undefined,
  usual: number,
): number {
  const present = before?.[what].length ?? 0;
  const count = asked ?? (present === 0 ? usual : present);
  if (count >= present) return count;
  const message = `the cluster has ${present} ${what} and \`up\` takes none away: ask for at least as many`;
  throw new RefusedError(refusal("invalid", message));
}

/** Which processes of a cluster run. */
function runningOf(before: Cluster | undefined, dataDir: string, programs: Programs) {
  const services = before === undefined ? [] : processesOf(before, new Layout(dataDir), programs);
  const running = services.filter(({ flag, settings }) => findByArgument(flag, settings) !== undefined);
  const names = new Set(running.map(({ name }) => name));
  return (process: string) => names.has(process);
}

/**
 * What runs with settings that are no longer true ends, to be started anew: no machine minds (I5, I11). A hub that only
 * learns of more hosts reads its settings again as it runs.
 */
async function renew(
  changed: readonly ServiceProcess[],
  before: Cluster | undefined,
  cluster: Cluster,
  report: Report,
): Promise<void> {
  for (const { name, flag, settings } of changed) {
    const running = findByArgument(flag, settings);
    if (running === undefined) continue;
    if (name === "hub" && before !== undefined && addressesOfHub(before) === addressesOfHub(cluster)) {
      signalProcess(running, "SIGHUP");
      continue;
    }
    report(`${name} has new settings: starting it again`);
    await stopProcess(running, STOP_PATIENCE_MS);
  }
}

function addressesOfHub({ nats, hubLeafPort, hubMonitorPort }: Cluster): string {
  return [addressOf(nats), hubLeafPort, hubMonitorPort].join(" ");
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

/** What an `up` that was refused may have left in a data directory. */
const TRACES = ["logs", "cluster.json.tmp"];

/** A purge removes what is in the folder: it must never have been anybody else's. */
async function assertEmpty(dataDir: string): Promise<void> {
  const foreign = (await readdir(dataDir)).filter((name) => !TRACES.includes(name));
  if (foreign.length === 0) return;
  const message = `${dataDir} is not empty and holds no cluster: name an empty or a new folder with --data`;
  throw new RefusedError(refusal("invalid", message));
}

/** Empties a data directory that never got a cluster: nothing half made stays. */
export async function removeUnmade({ root }: Layout): Promise<void> {
  const names = await readdir(root).catch(() => []);
  if (names.some((name) => !TRACES.includes(name))) return;
  for (const name of names) await rm(`${root}/${name}`, { recursive: true, force: true });
}

function assertClock(nowMs: number, cluster: Cluster | undefined): void {
  const earliestMs = cluster === undefined ? EARLIEST_MS : cluster.createdAtMs - A_DAY_MS;
  if (nowMs >= earliestMs && nowMs < LATEST_MS) return;
  const message = `the clock says ${new Date(nowMs).toISOString()}, which cannot be: set it, then try again`;
  throw new RefusedError(refusal("invalid", message));
}
