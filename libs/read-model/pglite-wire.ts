import { Duplex } from "node:stream";
import type { Worker } from "node:worker_threads";
import { startPglite } from "./pglite-thread.ts";

/** A connection to PGlite in a worker thread, as the Postgres driver sees a socket. It lives as long as the worker. */
export class PgliteWire extends Duplex {
  readonly #worker: Worker;

  /** Starts the worker on a directory, or on a copy in memory of a file. Rejects when PGlite does not start there. */
  static async open(path: string, task: "serve" | "load" = "serve"): Promise<PgliteWire> {
    const worker = startPglite(path, task);
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    const early = () => reject(new Error("PGlite ended as it started"));
    worker
      .once("message", () => resolve())
      .once("error", reject)
      .once("exit", early);
    await ready;
    worker.off("error", reject).off("exit", early);
    return new PgliteWire(worker);
  }

  private constructor(worker: Worker) {
    super();
    this.#worker = worker;
    worker.on("message", (bytes: Uint8Array) => {
      if (bytes.byteLength > 0) this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    });
    // Not as errors of the stream: who reads from it next to nothing would end with them. The driver sees it closed.
    worker.on("error", () => this.destroy());
    worker.on("exit", () => this.destroy());
  }

  /** Asked by the driver. */
  get readyState(): "open" | "closed" {
    return this.destroyed ? "closed" : "open";
  }

  override _read(): void {
    // The worker sends when it has something.
  }

  /** The driver writes whole messages of the protocol, which is what PGlite takes. */
  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.#worker.postMessage(new Uint8Array(bytes));
    done();
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  /** Ends PGlite as it stands: what it has written is there, as after a kill. */
  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    void this.#worker.terminate().finally(() => done());
  }
}

/** Options of the driver: there is one session, and it ends with PGlite. Its types do not know that it takes a socket. */
export function overWire(wire: PgliteWire) {
  return {
    host: "localhost",
    username: "postgres",
    database: "postgres",
    socket: () => (wire.destroyed ? Promise.reject(new Error("PGlite has ended")) : wire),
    max: 1,
    max_lifetime: null,
    fetch_types: false,
    onnotice: () => undefined,
  };
}
