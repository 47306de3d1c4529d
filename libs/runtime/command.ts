import { type ChildProcess, spawn } from "node:child_process";

/** How a child process is run. */
export interface CommandOptions {
  /** Killed after this time. 30 s unless given. */
  readonly timeoutMs?: number;
  /** Killed when it fires. */
  readonly signal?: AbortSignal;
  /** Written to its standard input, which is empty otherwise. */
  readonly input?: string;
  /** An open file that is its standard input. */
  readonly stdin?: number;
  /** More standard output than this is an error, not a full memory. 4 MiB unless given. */
  readonly maxOutputBytes?: number;
  readonly cwd?: string;
}

export interface CommandOutput {
  readonly stdout: string;
  /** The end of it: its last 16 KiB. */
  readonly stderr: string;
}

/** A child process that did not do what it was run for. The message is one line. */
export class CommandError extends Error {
  readonly reason: "missing" | "failed" | "timed_out" | "aborted" | "too_much_output";
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(reason: CommandError["reason"], message: string, exitCode: number | null, stderr: string) {
    super(message);
    this.name = "CommandError";
    this.reason = reason;
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const STDERR_TAIL_BYTES = 16 * 1024;

/**
 * Runs a program, never a shell, and resolves when it ended with exit code 0. It gets a process group of its own, so
 * that a timeout takes its children too and a signal to ours does not reach it. Throws `CommandError`.
 */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandOutput> {
  const { signal } = options;
  if (signal?.aborted)
    return Promise.reject(new CommandError("aborted", `${argv[0]} was not run: aborted`, null, ""));
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), {
      detached: true,
      stdio: [options.stdin ?? (options.input === undefined ? "ignore" : "pipe"), "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let stopped: CommandError["reason"] | undefined;
    const stop = (reason: CommandError["reason"]) => {
      stopped ??= reason;
      killGroup(child);
    };
    const onAbort = () => stop("aborted");
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = setTimeout(() => stop("timed_out"), options.timeoutMs ?? TIMEOUT_MS);
    const output = collectOutput(child, options.maxOutputBytes ?? MAX_OUTPUT_BYTES, () =>
      stop("too_much_output"),
    );
    const finish = (reason: CommandError["reason"] | undefined, exitCode: number | null, how: string) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      const { stdout, stderr } = output();
      if (reason === undefined) resolve({ stdout, stderr });
      else reject(new CommandError(reason, describe(argv, how, stderr), exitCode, stderr));
    };
    child.once("error", (error) => finish("missing", null, `cannot be run: ${error.message}`));
    child.once("close", (exitCode, killedBy) => {
      if (stopped !== undefined) finish(stopped, exitCode, stopped.replaceAll("_", " "));
      else if (exitCode === 0) finish(undefined, 0, "");
      else finish("failed", exitCode, killedBy === null ? `exit code ${exitCode}` : `killed by ${killedBy}`);
    });
    child.stdin?.on("error", () => {}); // it may end without reading all; its exit code says whether that was right
    child.stdin?.end(options.input);
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // it has not reached its own group yet, or is gone
  }
}

function collectOutput(child: ChildProcess, maxBytes: number, overflow: () => void): () => CommandOutput {
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = Buffer.alloc(0);
  child.stdout?.on("data", (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes > maxBytes) overflow();
    else stdout.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_TAIL_BYTES);
  });
  return () => ({ stdout: Buffer.concat(stdout).toString(), stderr: stderr.toString() });
}

/** "skopeo copy: exit code 1: the last thing it said". */
function describe(argv: readonly string[], how: string, stderr: string): string {
  const subject = argv.slice(0, 2).join(" ");
  const last = stderr.trim().split("\n").at(-1) ?? "";
  return `${subject}: ${how}${last === "" ? "" : `: ${last.slice(0, 300)}`}`;
}
