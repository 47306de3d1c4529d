import { Worker } from "node:worker_threads";
import type { ThreadSettings } from "./question.ts";

/** What the thread's own heap may take: a fleet's fold a few times over. Beyond that it ends, and the API goes on. */
const HEAP_MIB = 768;

/** Starts the thread that answers about history. */
export function startReplayWorker(settings: ThreadSettings): Worker {
  // The program stands beside this file, as source or compiled.
  const isSource = import.meta.url.endsWith(".ts");
  const program = new URL(isSource ? "./replay-worker.ts" : "./replay-worker.js", import.meta.url);
  const resourceLimits = { maxOldGenerationSizeMb: HEAP_MIB };
  return new Worker(program, { workerData: settings, resourceLimits, execArgv: [], env: {} });
}
