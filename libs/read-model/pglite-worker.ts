import { readFileSync, writeFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";

/*
 * Runs PGlite in a thread of its own: it blocks its event loop while it works. Takes and gives bytes of Postgres's wire
 * protocol, so that one driver speaks to both. Plain JavaScript but for its types: Node runs it from the source as well.
 */

/**
 * Small buffers: memory is what PGlite costs. It does not fsync, so a commit is as cheap as a write; put off it must not
 * be: there is no process that would write it later, and a kill would take all.
 */
const CONFIG = [
  "shared_buffers=16MB",
  "max_connections=4",
  "max_wal_senders=0",
  "min_wal_size=32MB",
  "max_wal_size=64MB",
  "synchronous_commit=on",
];

const { path, task } = workerData as {
  readonly path: string;
  readonly task: "make" | "serve" | "load" | "dump";
};
const isInMemory = task === "load" || task === "dump";
const database = await PGlite.create({
  dataDir: isInMemory ? "memory://" : path,
  postgresqlconf: CONFIG,
  ...(task === "load" ? { loadDataDir: new Blob([readFileSync(path)]) } : {}),
});
if (task === "dump") {
  const dumped = await database.dumpDataDir("none");
  writeFileSync(path, new Uint8Array(await dumped.arrayBuffer()), { mode: 0o600 });
}
if (task === "make" || task === "dump") {
  await database.close();
} else {
  let last: Promise<unknown> = Promise.resolve();
  parentPort?.on("message", (bytes: Uint8Array) => {
    // One after the other; what it cannot answer ends the thread, and with it the connection.
    last = last.then(async () => parentPort?.postMessage(await database.execProtocolRaw(bytes)));
  });
  parentPort?.postMessage("ready");
}
