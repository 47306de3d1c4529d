import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findByArgument, identityOf, isAlive, type ProcessIdentity, signalProcess } from "./process-table.ts";
import type { ServiceProcess } from "./processes.ts";

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;
/** A process that lived this long starts again at once when it dies. */
const HEALTHY_AFTER_MS = 10_000;
/** Only children report their end by an event; of an adopted process the kernel tells nobody but its parent. */
const ADOPTED_CHECK_MS = 250;
const STOP_PATIENCE_MS = 8_000;

export type Report = (line: string) => void;

/** Keeps one process running: adopts the one that runs, else starts it, and starts it again whenever it dies. */
export class SupervisedProcess {
  readonly service: ServiceProcess;
  readonly #logFile: string;
  readonly #report: Report;
  #identity: ProcessIdentity | undefined;
  #stopping = false;
  #deaths = 0;
  #done: Promise<void> = Promise.resolve();
  readonly #stopped = new AbortController();

  constructor(service: ServiceProcess, logFile: string, report: Report) {
    this.service = service;
    this.#logFile = logFile;
    this.#report = report;
  }

  /** Its pid while it runs. */
  get pid(): number | undefined {
    return this.#identity !== undefined && isAlive(this.#identity) ? this.#identity.pid : undefined;
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

  /** Lets go of it without touching it. */
  abandon(): void {
    this.#stopping = true;
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const beganAt = performance.now();
      await this.#watchOne();
      if (this.#stopping) return;
      this.#deaths = performance.now() - beganAt > HEALTHY_AFTER_MS ? 1 : this.#deaths + 1;
      const pause =
        this.#deaths === 1 ? 0 : Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#deaths - 2));
      this.#report(`${this.service.name} ended; starting it again${pause ? ` in ${pause} ms` : ""}`);
      await sleep(pause, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    }
  }

  /** Resolves when the process that runs, or that it starts, has ended. */
  async #watchOne(): Promise<void> {
    const running = findByArgument(this.service.flag, this.service.settings);
    if (running !== undefined) {
      this.#identity = running;
      this.#report(`${this.service.name} runs already (pid ${running.pid}): adopted`);
      while (isAlive(running)) await sleep(ADOPTED_CHECK_MS);
      return;
    }
    const child = this.#spawn();
    const ended = new Promise<void>((done) => {
      child.once("exit", () => done());
      child.once("error", (error) => {
        this.#report(`${this.service.name} does not start: ${error.message}`);
        done();
      });
    });
    if (child.pid !== undefined) this.#identity = identityOf(child.pid);
    await ended;
  }

  /** In a session of its own and with its output in a file: the supervisor's death must not reach it (I5, I11). */
  #spawn(): ChildProcess {
    const log = openSync(this.#logFile, "a", 0o600);
    try {
      const { program, args, env } = this.service;
      return spawn(program, args, { detached: true, env, stdio: ["ignore", log, log] });
    } finally {
      closeSync(log);
    }
  }
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
