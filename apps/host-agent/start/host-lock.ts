import { createHash } from "node:crypto";
import { createServer, type Server } from "node:net";
import { RefusedError, refusal } from "#kernel";

/**
 * One agent per host id on one machine: an abstract socket, which the kernel takes away with its process. It spares a
 * second agent's start; what fences it is the epoch in the log (I1, F19).
 */
export class HostLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Throws a refusal `busy` when another agent holds it. */
  static async take(clusterId: string, hostId: string): Promise<HostLock> {
    const name = createHash("sha256").update(`${clusterId}/${hostId}`).digest("hex").slice(0, 32);
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((taken, refused) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const busy = `another agent runs for host ${hostId} on this machine: stop it first`;
        refused(error.code === "EADDRINUSE" ? new RefusedError(refusal("busy", busy)) : error);
      });
      server.listen(`\0drover-agent-${name}`, () => taken());
    });
    server.unref();
    return new HostLock(server);
  }

  async release(): Promise<void> {
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }
}
