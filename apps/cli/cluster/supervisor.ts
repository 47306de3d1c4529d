import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { RefusedError, refusal } from "#kernel";
import type { Layout } from "./layout.ts";
import { findByArgument } from "./process-table.ts";
import type { ServiceProcess } from "./processes.ts";
import { type Report, SupervisedProcess, stopProcess } from "./supervised-process.ts";

/** Readiness has no event that crosses processes: it is asked for at this pace while `up` waits, and never after. */
const READY_CHECK_MS = 50;

/** Runs all processes of a cluster and starts again what dies. */
export class Supervisor {
  readonly #processes: readonly SupervisedProcess[];

  constructor(services: readonly ServiceProcess[], layout: Layout, report: Report) {
    mkdirSync(layout.logsDir, { recursive: true, mode: 0o700 });
    this.#processes = services.map(
      (service) => new SupervisedProcess(service, layout.logFile(service.name), report),
    );
  }

  start(): void {
    for (const process of this.#processes) process.start();
  }

  /** Stops everything, clients before servers. */
  async stop(): Promise<void> {
    for (const group of stopGroups(this.#processes, (process) => process.service.name)) {
      await Promise.all(group.map((process) => process.stop()));
    }
  }
}

/** Stops what still runs of a cluster when no supervisor does. */
export async function stopLeftovers(
  services: readonly ServiceProcess[],
  patienceMs: number,
): Promise<number> {
  let count = 0;
  for (const group of stopGroups(services, (service) => service.name)) {
    const running = group.flatMap((service) => findByArgument(service.flag, service.settings) ?? []);
    count += running.length;
    await Promise.all(running.map((identity) => stopProcess(identity, patienceMs)));
  }
  return count;
}

/** Services first, then the hosts' leaves, then the hub; each group at once. */
function stopGroups<T>(all: readonly T[], nameOf: (item: T) => string): T[][] {
  const isLeaf = (item: T) => nameOf(item).startsWith("leaf-");
  const isHub = (item: T) => nameOf(item) === "hub";
  return [all.filter((item) => !isLeaf(item) && !isHub(item)), all.filter(isLeaf), all.filter(isHub)];
}

/** Resolves when every process answers that it is ready. Throws a refusal that names those which are not in time. */
export async function waitUntilReady(
  services: readonly ServiceProcess[],
  layout: Layout,
  timeoutMs: number,
): Promise<void> {
  const until = performance.now() + timeoutMs;
  let waiting = [...services];
  while (waiting.length > 0) {
    const answers = await Promise.all(waiting.map((service) => isReady(service)));
    waiting = waiting.filter((_, index) => !answers[index]);
    if (waiting.length === 0) return;
    if (performance.now() > until) {
      const names = waiting.map((service) => service.name).join(", ");
      const message = `not ready after ${Math.round(timeoutMs / 1000)} s: ${names}; see ${layout.logFile(waiting[0]!.name)}`;
      throw new RefusedError(refusal("deadline_exceeded", message));
    }
    await sleep(READY_CHECK_MS);
  }
}

/** Whether a process answers 200 on its readiness path. */
export async function isReady(service: ServiceProcess): Promise<boolean> {
  try {
    const answer = await fetch(service.readyUrl, { signal: AbortSignal.timeout(2_000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
