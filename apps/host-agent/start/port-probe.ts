import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import type { PublishedPort } from "#contracts";
import { type Refusal, refusal } from "#kernel";

/** Sees whether somebody outside Drover holds a port that a machine wants to publish on the host's loopback. */
export class PortProbe {
  readonly #hostId: string;

  constructor(hostId: string) {
    this.#hostId = hostId;
  }

  async refuseIfTaken(ports: readonly PublishedPort[]): Promise<Refusal | undefined> {
    for (const { host_port: port, protocol } of ports) {
      if (await isFree(port, protocol)) continue;
      const message = `port ${port}/${protocol} of host ${this.#hostId} is in use by another program: choose another`;
      return refusal("port_taken", message, { details: { hostId: this.#hostId, port } });
    }
    return undefined;
  }
}

function isFree(port: number, protocol: PublishedPort["protocol"]): Promise<boolean> {
  return new Promise((done) => {
    if (protocol === "udp") {
      const socket = createSocket("udp4");
      socket.once("error", () => done(false));
      socket.bind(port, "127.0.0.1", () => socket.close(() => done(true)));
    } else {
      const server = createServer();
      server.once("error", () => done(false));
      server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
    }
  });
}
