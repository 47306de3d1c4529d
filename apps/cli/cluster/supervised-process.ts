import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findByArgument, identityOf, isAlive, type ProcessIdentity, signalProcess } from "./process-table.ts";
import type { ServiceProcess } from "./processes.ts";

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;
/** A process that lived this long starts again at once when it dies. */
const HEALTHY_AFTER_MS = 10_000;
/** Only children report their end by an event; of an adopted process the kernel tells nobody but its parent. */
const ADOPTED_CHECK_MS = 250;
export const STOP_PATIENCE_MS = 8_000;
/** A log that is longer than this when its process starts becomes the last one. */
const LOG_BYTES = 16 * 1024 * 1024;

export type Report = (line: string) => void;

/** Keeps one process running: adopts the one that runs, else starts it, and starts it again whenever it dies. */
export class SupervisedProcess {
  readonly service: ServiceProcess;
  readonly logFile: string;
  readonly #report: Report;
  #identity: ProcessIdentity | undefined;
  #stopping = false;
  #deaths = 0;
  #done: Promise<void> = Promise.resolve();
  readonly #stopped = new AbortController();

  constructor(service: ServiceProcess, logFile: string, report: Report) {
    this.service = service;
    this.logFile = logFile;
    this.#report = report;
  }

  /** Its pid while it runs. */
  get pid(): number | undefined {
    return this.#identity !== undefined && isAlive(this.#identity) ? this.#identity.pid : undefined;
  }

  /** How often in a row it died before it was well. */
  get deaths(): number {
    return this.#deaths;
  }

  start(): void {
    this.#done = this.#run();
  }

  /** Asks it to end, kills it when it does not, and starts it no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopped.abort();
    await stopProcess(this.#identity, STOP_PATIENCE_MS);
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const beganAt = performance.now();
      const how = await this.#watchOne();
      if (this.#stopping) return;
      this.#deaths = performance.now() - beganAt > HEALTHY_AFTER_MS ? 1 : this.#deaths + 1;
      const pause =
        this.#deaths === 1 ? 0 : Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#deaths - 2));
      const when = pause === 0 ? "" : ` in ${pause} ms (see ${this.logFile})`;
      this.#report(`${this.service.name} ${how}; starting it again${when}`);
      await sleep(pause, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    }
  }

  /** Resolves when the process that runs, or that it starts, has ended, with how it ended. */
  async #watchOne(): Promise<string> {
    const running = findByArgument(this.service.flag, this.service.settings);
    if (running !== undefined) {
      this.#identity = running;
      this.#report(`${this.service.name} runs already (pid ${running.pid}): adopted`);
      while (isAlive(running)) await sleep(ADOPTED_CHECK_MS);
      return "ended";
    }
    return this.#startOne().catch((error: Error) => `does not start: ${error.message}`);
  }

  async #startOne(): Promise<string> {
    const child = this.#spawn();
    const ended = new Promise<string>((done, fail) => {
      child.once("exit", (code, signal) =>
        done(signal === null ? `ended with ${code}` : `was ended by ${signal}`),
      );
      child.once("error", fail);
    });
    if (child.pid !== undefined) this.#identity = identityOf(child.pid);
    return ended;
  }

  /**
   * In a session of its own and with its output in a file: the supervisor's death must not reach it (I5, I11). Where the
   * user stood does not matter to it, and may be unmounted or removed.
   */
  #spawn(): ChildProcess {
    mkdirSync(dirname(this.logFile), { recursive: true, mode: 0o700 });
    keepShort(this.logFile);
    const log = openSync(this.logFile, "a", 0o600);
    try {
      const { program, args, env } = this.service;
      return spawn(program, args, { cwd: "/", detached: true, env, stdio: ["ignore", log, log] });
    } finally {
      closeSync(log);
    }
  }
}

/** Of a service that dies and dies again two logs are kept, however long that goes on. */
function keepShort(logFile: string): void {
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES)
    renameSync(logFile, `${logFile}.1`);
}

/** SIGTERM, and SIGKILL when that was not enough. */
export async function stopProcess(identity: ProcessIdentity | undefined, patienceMs: number): Promise<void> {
  if (identity === undefined) return;
  signalProcess(identity, "SIGTERM");
  const until = performance.now() + patienceMs;
  while (isAlive(identity) && performance.now() < until) await sleep(20);
  signalProcess(identity, "SIGKILL");
  while (isAlive(identity)) await sleep(20);
}
