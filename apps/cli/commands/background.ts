import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { type RefusalCode, RefusedError, refusal } from "#kernel";
import type { Cluster } from "../cluster/cluster-file.ts";
import { makeFolder } from "../cluster/files.ts";
import type { Layout } from "../cluster/layout.ts";
import type { Programs } from "../cluster/processes.ts";
import type { UpOptions } from "../cluster/run-cluster.ts";
import type { Hello } from "../demo/make-hello.ts";
import type { Output } from "../output.ts";

/** A cluster that serves, and what became of its demo, where there was one to make. */
export interface Serving {
  readonly cluster: Cluster;
  readonly hello?: Hello;
}

/** What a supervisor in the background tells the `up --detach` that started it. */
type SupervisorMessage =
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "ready"; readonly serving: Serving }
  | { readonly kind: "failed"; readonly code: RefusalCode; readonly message: string };

/** Tells it, as long as the starter is there. */
export function tellStarter(message: SupervisorMessage): void {
  // It may be gone the next moment: then there is nobody to tell.
  if (process.connected) process.send?.(message, () => undefined);
}

/**
 * Starts a supervisor that outlives us and waits until its cluster serves. Ctrl-C takes all of it back. Throws what the
 * supervisor failed with.
 */
export async function inBackground(
  layout: Layout,
  options: UpOptions,
  programs: Programs,
  output: Output,
): Promise<Serving> {
  const child = await spawnSupervisor(layout, options, programs);
  const interrupt = () => void child.kill("SIGTERM");
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    return await outcomeOf(child, layout, output);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/** Where the user stands and what else is in the environment is none of its business. */
async function spawnSupervisor(
  layout: Layout,
  options: UpOptions,
  programs: Programs,
): Promise<ChildProcess> {
  await makeFolder(layout.logsDir);
  const log = openSync(layout.logFile("supervisor"), "a", 0o600);
  try {
    const { databaseUrl, ...open } = options;
    const words = ["supervise", "--options", JSON.stringify(open)];
    const args = ["--enable-source-maps", process.argv[1]!, ...words];
    const secret = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl };
    const env = { PATH: programs.path, NODE_COMPILE_CACHE: programs.compileCache, ...secret };
    return spawn(programs.node, args, { cwd: "/", detached: true, env, stdio: ["ignore", log, log, "ipc"] });
  } finally {
    closeSync(log);
  }
}

function outcomeOf(child: ChildProcess, layout: Layout, output: Output): Promise<Serving> {
  return new Promise<Serving>((done, fail) => {
    child.once("error", fail);
    child.on("message", (message: SupervisorMessage) => {
      if (message.kind === "progress") output.progress(message.text);
      if (message.kind === "failed") fail(new RefusedError(refusal(message.code, message.message)));
      if (message.kind !== "ready") return;
      child.unref();
      done(message.serving);
    });
    // Not "exit": what it said last may arrive after that.
    child.once("close", (code, signal) => {
      const message = `the supervisor ended (${signal ?? code}): see ${layout.logFile("supervisor")}`;
      fail(new RefusedError(refusal("effect_failed", message)));
    });
  });
}
