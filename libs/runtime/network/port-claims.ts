import { createSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { mkdir, readlink, rm, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import type { PublishedPort } from "#contracts";
import { TerminalError } from "#kernel";
import { listFolder } from "../files.ts";
import { type HostNames, runFolderOf } from "../names.ts";

/** Shared by all Drover hosts of one box: what one of them took, no other may take. */
export const BOX_FOLDER = "/run/drover";
const FOLDER = `${BOX_FOLDER}/ports`;

/**
 * Who publishes which port of the loopback. A published port is a rule in the kernel, not a socket, so that binding it
 * would not fail: hosts on one box tell each other by links named after the port, which lead to "<tag>/<machine id>".
 */
export class PortClaims {
  readonly #names: HostNames;

  constructor(names: HostNames) {
    this.#names = names;
  }

  /** Makes `ports` this machine's. Throws `TerminalError` ("port_taken") when one is somebody else's. */
  async claim(machineId: string, ports: readonly PublishedPort[]): Promise<void> {
    const held = await this.#heldBy((owner) => owner === this.#ownerOf(machineId));
    for (const port of ports) if (!held.includes(linkNameOf(port))) await this.#claimOne(machineId, port);
  }

  /** Gives up the machine's ports, save these. Only when nothing leads from them to the machine any more. */
  async release(machineId: string, except: readonly PublishedPort[] = []): Promise<void> {
    const kept = new Set(except.map(linkNameOf));
    const held = await this.#heldBy((owner) => owner === this.#ownerOf(machineId));
    for (const link of held) if (!kept.has(link)) await rm(`${FOLDER}/${link}`, { force: true });
  }

  /** Gives up all ports of this host. */
  async releaseAll(): Promise<void> {
    const held = await this.#heldBy((owner) => owner.startsWith(`${this.#names.tag}/`));
    for (const link of held) await rm(`${FOLDER}/${link}`, { force: true });
  }

  async #claimOne(machineId: string, port: PublishedPort): Promise<void> {
    await assertUnused(port);
    await mkdir(FOLDER, { recursive: true });
    const link = `${FOLDER}/${linkNameOf(port)}`;
    for (;;) {
      try {
        return await symlink(this.#ownerOf(machineId), link);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const owner = await readlink(link).catch(() => undefined);
      if (owner !== undefined && !isStale(owner)) throw taken(port, `machine ${owner.split("/")[1]}`);
      await rm(link, { force: true });
    }
  }

  async #heldBy(isOwner: (owner: string) => boolean): Promise<string[]> {
    const links = await listFolder(FOLDER);
    const owners = await Promise.all(links.map((link) => readlink(`${FOLDER}/${link}`).catch(() => "")));
    return links.filter((_, i) => isOwner(owners[i]!));
  }

  #ownerOf(machineId: string): string {
    return `${this.#names.tag}/${machineId}`;
  }
}

function linkNameOf(port: PublishedPort): string {
  return `${port.protocol}-${port.host_port}`;
}

/** Its host was purged, or lost what it had in a reboot. */
function isStale(owner: string): boolean {
  return !existsSync(runFolderOf(owner.split("/")[0]!));
}

/** Throws `port_taken` when a process on this host listens on the port. */
async function assertUnused(port: PublishedPort): Promise<void> {
  const code = await (port.protocol === "tcp" ? tryListen(port.host_port) : tryBind(port.host_port));
  if (code === "EADDRINUSE") throw taken(port, "a process on this host");
  if (code !== undefined) throw new Error(`port ${port.host_port}/${port.protocol} cannot be tried: ${code}`);
}

function tryListen(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function tryBind(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.bind({ port, address: "127.0.0.1", exclusive: true }, () =>
      socket.close(() => resolve(undefined)),
    );
  });
}

function taken(port: PublishedPort, holder: string): TerminalError {
  return new TerminalError("port_taken", `port ${port.host_port}/${port.protocol} is taken by ${holder}`);
}
