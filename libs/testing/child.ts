import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A server that a test started. */
export interface Child {
  readonly pid: number;
  /** What it has said on stderr so far. */
  readonly lines: readonly string[];
  /** Resolves with the next line, from now on, that matches; rejects with all lines when it ends before. */
  says(pattern: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Sends SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it has ended. */
  readonly gone: Promise<void>;
}

/** Starts a program; resolves when it says that it is ready, rejects with what it said when it ends before. */
export async function startChild(program: string, words: readonly string[], ready: RegExp): Promise<Child> {
  // setpriv ties its life to ours: a test runner that is killed leaves no server behind.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...words], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: string[] = [];
  const listeners = new Set<(line: string | undefined) => void>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    for (const listener of [...listeners]) listener(line);
  });
  const gone = new Promise<void>((done) => {
    child.once("error", (error) => lines.push(String(error)));
    child.once("close", () => done());
  });
  void gone.then(() => {
    for (const listener of [...listeners]) listener(undefined);
  });
  const says = (pattern: RegExp) =>
    new Promise<string>((found, fail) => {
      const listener = (line: string | undefined) => {
        if (line !== undefined && !pattern.test(line)) return;
        listeners.delete(listener);
        if (line === undefined) fail(new Error(`${program} ended:\n${lines.join("\n")}`));
        else found(line);
      };
      listeners.add(listener);
    });
  await says(ready);
  return {
    pid: child.pid ?? -1,
    lines,
    says,
    gone,
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
