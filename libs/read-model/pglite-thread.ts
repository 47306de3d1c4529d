import { Worker } from "node:worker_threads";

/** What the thread's own heap may take; PGlite's memory is beside it. */
const HEAP_MIB = 192;

/**
 * Starts PGlite on a directory, to serve what is there or only to make it; or in memory, to serve a copy of a file or only
 * to write that file.
 */
export function startPglite(path: string, task: "make" | "serve" | "load" | "dump"): Worker {
  // The program stands beside this file, as source or compiled.
  const isSource = import.meta.url.endsWith(".ts");
  const program = new URL(isSource ? "./pglite-worker.ts" : "./pglite-worker.js", import.meta.url);
  const resourceLimits = { maxOldGenerationSizeMb: HEAP_MIB };
  return new Worker(program, { workerData: { path, task }, resourceLimits, execArgv: [] });
}

/**
 * Makes a directory with an empty database, in a thread that ends with it: it takes a gigabyte for a moment, and what
 * serves takes a quarter of that. Rejects when it cannot.
 */
export function makePglite(directory: string): Promise<void> {
  return ended(startPglite(directory, "make"));
}

/** Writes a file with an empty database, likewise. */
export function dumpPglite(file: string): Promise<void> {
  return ended(startPglite(file, "dump"));
}

async function ended(worker: Worker): Promise<void> {
  await new Promise<void>((done, fail) => {
    worker.once("error", fail);
    worker.once("exit", (code) => (code === 0 ? done() : fail(new Error(`PGlite ended with ${code}`))));
  });
}
