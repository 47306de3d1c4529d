import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";

export const AGENT = resolve("dist/apps/host-agent/main.js");
export const AGENT_WITH_FAULTS = resolve("dist/test/host/agent-with-faults.js");
export const SCHEDULER = resolve("dist/apps/scheduler/main.js");

/** A service as a process of its own. Needs a built `dist`. */
export class LabProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[];
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>;

  /** Resolves when it is ready or has ended. */
  static async start(
    program: string,
    place: { readonly settingsFile: string; readonly readyUrl: string },
    words: readonly string[] = [],
  ): Promise<LabProcess> {
    const node = [process.execPath, program, "--config", place.settingsFile, ...words];
    // setpriv ties its life to ours: a test runner that is killed leaves no service behind.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", ...node], { stdio: ["ignore", "pipe", "pipe"] });
    const started = new LabProcess(child);
    await Promise.race([isReady(place.readyUrl, started), started.gone]);
    return started;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => this.#lines.push(chunk.toString()));
    }
    this.gone = new Promise((done) => child.once("close", () => done()));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** How it ended: an exit code or a signal. */
  get end(): number | string | null {
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  /** Everything it said. */
  get output(): string {
    return this.#lines.join("");
  }

  /** Resolves once its places count. */
  async arm(): Promise<void> {
    const armed = new Promise<void>((done) => {
      this.#child.stderr?.on("data", (chunk: Buffer) => {
        if (chunk.toString().includes("armed")) done();
      });
    });
    this.#child.kill("SIGUSR2");
    await armed;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.gone;
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.gone;
  }
}

/** Polls: readiness is something to ask for. */
async function isReady(readyUrl: string, service: LabProcess): Promise<void> {
  while (!service.isGone) {
    const answer = await fetch(readyUrl).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}
