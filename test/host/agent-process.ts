import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";

const MAIN = resolve("dist/apps/host-agent/main.js");
const WITH_FAULTS = resolve("dist/test/host/agent-with-faults.js");

/** A host agent as a process of its own. Needs a built `dist`. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[];
  /** Resolves when the process has ended. */
  readonly gone: Promise<void>;

  /** Resolves when it is ready or has ended. `faults`: options of `agent-with-faults`; without any it is the real one. */
  static async start(
    settingsFile: string,
    readyUrl: string,
    faults: readonly string[],
  ): Promise<AgentProcess> {
    const program = faults.length === 0 ? MAIN : WITH_FAULTS;
    // setpriv ties its life to ours: a test runner that is killed leaves no agent behind.
    const words = ["--pdeathsig", "KILL", process.execPath, program, "--config", settingsFile, ...faults];
    const agent = new AgentProcess(spawn("setpriv", words, { stdio: ["ignore", "pipe", "pipe"] }));
    await Promise.race([isReady(readyUrl, agent), agent.gone]);
    return agent;
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
async function isReady(readyUrl: string, agent: AgentProcess): Promise<void> {
  while (!agent.isGone) {
    const answer = await fetch(readyUrl).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}
