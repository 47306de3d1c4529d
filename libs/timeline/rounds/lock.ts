import { createHash } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { resolve } from "node:path";

/**
 * Held by the one process that makes the rounds of a directory. It is a socket with a name and no file: it goes with its
 * process, however that ends, and another one hears of it.
 */
export class BuilderLock {
  readonly #server: Server;

  /** Undefined when somebody else holds it. */
  static take(directory: string): Promise<BuilderLock | undefined> {
    const server = createServer();
    server.unref();
    return new Promise((done, fail) => {
      server.once("listening", () => done(new BuilderLock(server)));
      server.once("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "EADDRINUSE") done(undefined);
        else fail(error);
      });
      server.listen(nameOf(directory));
    });
  }

  /** Resolves when the one who holds it lets go, or `signal` fires. */
  static async free(directory: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve: done } = Promise.withResolvers<void>();
    const socket = connect(nameOf(directory));
    socket.resume();
    socket.once("error", () => done());
    socket.once("close", () => done());
    signal.addEventListener("abort", () => done(), { once: true });
    await promise;
    socket.destroy();
  }

  private constructor(server: Server) {
    this.#server = server;
    // Those who wait are told by the end of their connection, which is this process's.
    server.on("connection", (socket) => {
      socket.unref();
      socket.on("error", () => socket.destroy());
      this.#waiting.add(socket);
      socket.once("close", () => this.#waiting.delete(socket));
    });
  }

  readonly #waiting = new Set<{ destroy(): unknown }>();

  release(): Promise<void> {
    for (const socket of this.#waiting) socket.destroy();
    return new Promise((done) => this.#server.close(() => done()));
  }
}

/** Names of Linux' abstract sockets begin with a zero byte, and are short. */
function nameOf(directory: string): string {
  const hash = createHash("sha256").update(resolve(directory)).digest("hex").slice(0, 32);
  return `\0drover-timeline-${hash}`;
}
