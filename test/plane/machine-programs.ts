import { createServer, type RequestListener, type Server } from "node:http";
import type { SimulatedKernel } from "#runtime";

/** Where every program listens. */
export const PROGRAM_PORT = 8080;
/** How long a program takes until it listens, at the most, and its socket to be gone after its end. */
const LOOK_EVERY_MS = 5;

interface Program {
  readonly server: Server;
  readonly ended: () => boolean;
}

/**
 * Plays the programs of a host's simulated machines: a real server at each machine's own address for as long as its
 * process runs. The host's subnet has to lie within 127.0.0.0/8.
 */
export class MachinePrograms {
  readonly #kernel: SimulatedKernel;
  readonly #serve: (machineId: string) => RequestListener;
  readonly #programs = new Map<string, Program>();
  readonly #timer: NodeJS.Timeout;

  constructor(kernel: SimulatedKernel, serve: (machineId: string) => RequestListener) {
    this.#kernel = kernel;
    this.#serve = serve;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { server } of this.#programs.values()) end(server);
  }

  #look(): void {
    for (const [containerId, { server, ended }] of this.#programs) {
      if (!ended()) continue;
      this.#programs.delete(containerId);
      end(server);
    }
    for (const [containerId, container] of this.#kernel.containers) {
      const runs = container.runs > 0 && container.exit === undefined;
      if (!runs || this.#programs.has(containerId)) continue;
      const { machineId, addresses } = container.spec;
      const server = createServer(this.#serve(machineId)).listen(PROGRAM_PORT, addresses[0]);
      const ended = () => container.exit !== undefined || !this.#kernel.containers.has(containerId);
      this.#programs.set(containerId, { server, ended });
    }
  }
}

function end(server: Server): void {
  server.close();
  server.closeAllConnections();
}
