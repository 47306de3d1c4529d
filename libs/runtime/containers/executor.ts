import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, watch } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { TerminalError } from "#kernel";
import { listFolder, readText } from "../files.ts";
import type { Bundle, MachineProcess } from "./bundle.ts";
import type { Cgroups } from "./cgroups.ts";
import type { ContainerTraces } from "./container-traces.ts";
import type { ExecExit, ExecProcess, ExecSpec, TerminalSize } from "./exec-process.ts";
import { plainly } from "./monitor.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import { lives, sessionOf, signalPid } from "./processes.ts";
import { Pty } from "./pty.ts";

/** What the folder of one exec is called, in its container's bundle. */
const PREFIX = "exec-";
const PID_FILE = "pid";
const KILL_ROUNDS = 50;
const KILL_PAUSE_MS = 10;

export interface ExecGround {
  readonly runtime: OciRuntime;
  readonly traces: ContainerTraces;
  readonly cgroups: Cgroups;
}

/** Runs programs beside containers' own processes. Each is a session of its own, by which all that it began is found. */
export class Executor {
  readonly #ground: ExecGround;

  constructor(ground: ExecGround) {
    this.#ground = ground;
  }

  /** See `ContainerRuntime.exec`. */
  async run(containerId: string, spec: ExecSpec, signal: AbortSignal): Promise<ExecProcess> {
    const bundle = this.#ground.traces.bundleOf(containerId);
    await this.#assertRuns(bundle);
    const folder = await mkdtemp(`${bundle.path}/${PREFIX}`);
    let pty: Pty | undefined;
    try {
      await writeFile(`${folder}/process.json`, JSON.stringify(processOf(spec, await bundle.process())));
      pty = spec.terminal === undefined ? undefined : await Pty.open(spec.terminal);
      signal.throwIfAborted();
      const child = this.#spawn(containerId, folder, spec, pty);
      const streams = streamsOf(child, pty);
      const end = Promise.all([once(child, "close"), pty?.closed]);
      end.catch(() => {}); // a program that cannot even be spawned is told of below
      await this.#begun(child, streams, folder, signal);
      const exit = end.then(([[code]]) => exitOf(code)).finally(() => this.#forget(folder, pty));
      return new RunningExec(child, pty, streams, exit, {
        kill: () => this.#kill(containerId, folder, child),
        signal: (signalName) => this.#signalGroup(containerId, folder, signalName),
      });
    } catch (error) {
      await this.#killSession(containerId, folder);
      await this.#forget(folder, pty);
      throw error;
    }
  }

  /** Kills what an earlier agent ran beside a container: nobody reads it any more. */
  async sweep(containerId: string): Promise<void> {
    const { path } = this.#ground.traces.bundleOf(containerId);
    for (const name of (await listFolder(path)).filter((each) => each.startsWith(PREFIX))) {
      await this.#killSession(containerId, `${path}/${name}`);
      await this.#forget(`${path}/${name}`, undefined);
    }
  }

  async #assertRuns({ containerId }: Bundle): Promise<void> {
    const { runtime } = this.#ground;
    const first = await runtime.processOf(containerId);
    const runs = first !== undefined && lives(first) && !runtime.isWaiting(containerId, first);
    if (!runs) throw new TerminalError("wrong_state", "its process does not run");
  }

  /** In a process group of its own: a signal to ours does not reach it. */
  #spawn(containerId: string, folder: string, spec: ExecSpec, pty: Pty | undefined): ChildProcess {
    const { binary, root } = this.#ground.runtime;
    const files = ["--process", `${folder}/process.json`, "--pid-file", `${folder}/${PID_FILE}`];
    const words = ["--root", root, "exec", ...files, containerId];
    if (pty === undefined) {
      const stdin = spec.hasStdin ? "pipe" : "ignore";
      return spawn(binary, words, { detached: true, stdio: [stdin, "pipe", "pipe"] });
    }
    const side = pty.openOtherSide();
    try {
      return spawn(binary, words, { detached: true, stdio: [side, side, side] });
    } finally {
      closeSync(side);
    }
  }

  /** Resolves once the program runs: then the runtime writes its pid down. */
  async #begun(child: ChildProcess, streams: Streams, folder: string, signal: AbortSignal): Promise<void> {
    const settled = new AbortController();
    const written = new Promise<void>((done) => {
      const watcher = watch(folder, { signal: settled.signal }, () => void this.#pidIn(folder).then(look));
      const look = (pid: number | undefined) => pid !== undefined && done();
      watcher.on("error", () => {});
      void this.#pidIn(folder).then(look);
    });
    const ended = once(child, "exit", { signal: AbortSignal.any([signal, settled.signal]) });
    try {
      await Promise.race([written, ended]);
      if ((await this.#pidIn(folder)) === undefined) throw await failureOf(streams);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      settled.abort();
      ended.catch(() => {});
    }
  }

  async #kill(containerId: string, folder: string, child: ChildProcess): Promise<void> {
    await this.#killSession(containerId, folder);
    child.kill("SIGKILL");
  }

  async #signalGroup(containerId: string, folder: string, signalName: NodeJS.Signals): Promise<void> {
    const leader = await this.#pidIn(folder);
    if (leader !== undefined && this.#membersOf(containerId, leader).includes(leader))
      signalPid(-leader, signalName);
  }

  /** Again and again: what is killed may have begun something a moment before. */
  async #killSession(containerId: string, folder: string): Promise<void> {
    const leader = await this.#pidIn(folder);
    if (leader === undefined) return;
    for (let round = 0; round < KILL_ROUNDS; round += 1) {
      const left = this.#membersOf(containerId, leader);
      if (left.length === 0) return;
      for (const pid of left) signalPid(pid, "SIGKILL");
      await sleep(KILL_PAUSE_MS);
    }
  }

  /** Of a session, within the container's control group: its number alone may be another's by now (F21). */
  #membersOf(containerId: string, leader: number): number[] {
    const { cgroups, traces } = this.#ground;
    return cgroups.pidsIn(traces.cgroupOf(containerId)).filter((pid) => sessionOf(pid) === leader);
  }

  async #pidIn(folder: string): Promise<number | undefined> {
    const pid = Number(await readText(`${folder}/${PID_FILE}`));
    return pid > 0 ? pid : undefined;
  }

  async #forget(folder: string, pty: Pty | undefined): Promise<void> {
    pty?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One that runs, and the runtime's own process beside it. */
class RunningExec implements ExecProcess {
  readonly stdin: ExecProcess["stdin"];
  readonly stdout: ExecProcess["stdout"];
  readonly stderr: ExecProcess["stderr"];
  readonly exit: Promise<ExecExit>;
  readonly #child: ChildProcess;
  readonly #pty: Pty | undefined;
  readonly #reach: Reach;

  constructor(
    child: ChildProcess,
    pty: Pty | undefined,
    streams: Streams,
    exit: Promise<ExecExit>,
    reach: Reach,
  ) {
    this.#child = child;
    this.#pty = pty;
    this.#reach = reach;
    this.exit = exit;
    exit.catch(() => {}); // whoever wants to know asks
    this.stdin = streams.stdin;
    this.stdout = streams.stdout;
    this.stderr = streams.stderr;
    this.stdin.on("error", () => {}); // it reads no more, which is its own affair
  }

  resize(size: TerminalSize): void {
    // The runtime passes the size on to the program's own terminal.
    void this.#pty?.resize(size).then(() => this.#child.kill("SIGWINCH"));
  }

  signal(signalName: NodeJS.Signals): void {
    this.#reach.signal(signalName).catch(() => {}); // it is being removed
  }

  kill(): void {
    this.#reach.kill().catch(() => {}); // its container is being removed, which kills it too
  }
}

interface Streams extends Pick<ExecProcess, "stdin" | "stdout" | "stderr"> {
  /** All output comes as one. */
  readonly isMixed: boolean;
}

/** From its very begin: what nobody reads by the time a child ends, Node throws away. */
function streamsOf(child: ChildProcess, pty: Pty | undefined): Streams {
  if (pty !== undefined) {
    return { stdin: pty.input, stdout: pty.output, stderr: new PassThrough().end(), isMixed: true };
  }
  return {
    stdin: child.stdin ?? new PassThrough().resume(),
    stdout: child.stdout!.pipe(new PassThrough()),
    stderr: child.stderr!.pipe(new PassThrough()),
    isMixed: false,
  };
}

/** What is done to the program itself rather than to the runtime beside it. */
interface Reach {
  readonly kill: () => Promise<void>;
  readonly signal: (signalName: NodeJS.Signals) => Promise<void>;
}

/** As the machine's own process, but for what it runs, and where. */
function processOf({ args, terminal }: ExecSpec, own: MachineProcess): Record<string, unknown> {
  if (terminal === undefined) return { ...own, args, terminal: false };
  const env = [...own.env.filter((each) => !each.startsWith("TERM=")), `TERM=${terminal.name}`];
  // The runtime would tell the size only after the program has begun.
  const consoleSize = { width: terminal.columns, height: terminal.rows };
  return { ...own, args, env, terminal: true, consoleSize };
}

async function failureOf({ stdout, stderr, isMixed }: Streams): Promise<Error> {
  let said = "";
  for await (const chunk of isMixed ? stdout : stderr) said = (said + chunk).slice(-2_000);
  const message = plainly(said.trim()).replace(/^exec failed: /, "") || "the program could not be run";
  return new TerminalError("launch_failed", message);
}

function exitOf(code: number | null): ExecExit {
  // Killed by us, and the program with it.
  const exitCode = code ?? 128 + constants.signals.SIGKILL;
  const signal = exitCode - 128;
  return { exitCode, exitSignal: signal >= 1 && signal <= 64 ? signal : 0 };
}
