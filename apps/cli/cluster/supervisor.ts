import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { RefusedError, refusal } from "#kernel";
import type { Layout } from "./layout.ts";
import { findByArgument } from "./process-table.ts";
import type { ServiceProcess } from "./processes.ts";
import { type Report, STOP_PATIENCE_MS, SupervisedProcess, stopProcess } from "./supervised-process.ts";

/** Readiness has no event that crosses processes: it is asked for at this pace while `up` waits, and never after. */
const READY_CHECK_MS = 50;
/** Whatever dies this often in a row before it ever served will not serve. With the pauses between, after 12 s. */
const HOPELESS_DEATHS = 8;

/** Runs all processes of a cluster and starts again what dies. */
export class Supervisor {
  readonly #processes: readonly SupervisedProcess[];

  constructor(services: readonly ServiceProcess[], layout: Layout, report: Report) {
    this.#processes = services.map(
      (service) => new SupervisedProcess(service, layout.logFile(service.name), report),
    );
  }

  start(): void {
    for (const process of this.#processes) process.start();
  }

  /**
   * Resolves when every process answers that it is ready. Throws a refusal that names those which are not in time or
   * never will be, and one when `signal` fires.
   */
  async ready(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + timeoutMs;
    let waiting = [...this.#processes];
    for (;;) {
      const answers = await Promise.all(waiting.map(({ service }) => isReady(service, signal)));
      waiting = waiting.filter((_, index) => !answers[index]);
      if (waiting.length === 0) return;
      if (signal.aborted) throw new RefusedError(refusal("cancelled", "interrupted before it served"));
      const hopeless = waiting.find(({ deaths }) => deaths >= HOPELESS_DEATHS);
      if (hopeless !== undefined) throw new RefusedError(refusal("effect_failed", failureOf(hopeless)));
      if (performance.now() > until) throw new RefusedError(refusal("deadline_exceeded", late(waiting)));
      await sleep(READY_CHECK_MS);
    }
  }

  /** Stops everything, clients before servers. */
  async stop(): Promise<void> {
    for (const group of stopGroups(this.#processes, (process) => process.service.name)) {
      await Promise.all(group.map((process) => process.stop()));
    }
  }
}

function failureOf({ service, deaths, logFile }: SupervisedProcess): string {
  const said = lastLine(logFile);
  return `${service.name} ended ${deaths} times before it served${said === "" ? "" : `, lastly with: ${said}`}; see ${logFile}`;
}

function late(waiting: readonly SupervisedProcess[]): string {
  const names = waiting.map(({ service }) => service.name).join(", ");
  return `not ready in time: ${names}; see ${waiting[0]!.logFile}, or wait longer with --ready-timeout`;
}

/** The end of a log, as a word about why its process died. */
function lastLine(logFile: string): string {
  try {
    return readFileSync(logFile, "utf8").trimEnd().split("\n").at(-1)!.slice(0, 300);
  } catch {
    return "";
  }
}

/** Stops what still runs of a cluster when no supervisor does. Returns how many that were. */
export async function stopLeftovers(services: readonly ServiceProcess[]): Promise<number> {
  let count = 0;
  for (const group of stopGroups(services, (service) => service.name)) {
    const running = group.flatMap((service) => findByArgument(service.flag, service.settings) ?? []);
    count += running.length;
    await Promise.all(running.map((identity) => stopProcess(identity, STOP_PATIENCE_MS)));
  }
  return count;
}

/** Services first, then the hosts' leaves, then the hub; each group at once. */
function stopGroups<T>(all: readonly T[], nameOf: (item: T) => string): T[][] {
  const isLeaf = (item: T) => nameOf(item).startsWith("leaf-");
  const isHub = (item: T) => nameOf(item) === "hub";
  return [all.filter((item) => !isLeaf(item) && !isHub(item)), all.filter(isLeaf), all.filter(isHub)];
}

/** Whether a process answers 200 on its readiness path. */
export async function isReady(service: ServiceProcess, signal?: AbortSignal): Promise<boolean> {
  const patience = AbortSignal.timeout(2_000);
  try {
    const answer = await fetch(service.readyUrl, {
      signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
    });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
