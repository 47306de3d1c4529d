import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { freePort } from "#testing";
import { firstByteAt } from "./first-byte.ts";

const run = promisify(execFile);

/** The same root filesystem and program under a Docker Engine, where one runs on this machine. */
export class DockerContainer {
  readonly #name: string;
  readonly #port: number;

  private constructor(name: string, port: number) {
    this.#name = name;
    this.#port = port;
  }

  /** Undefined where no Docker Engine answers. `args`: the program and its arguments; it listens on port 8080. */
  static async make(
    name: string,
    rootfs: string,
    args: readonly string[],
  ): Promise<DockerContainer | undefined> {
    const answers = await docker("version", "--format", "{{.Server.Version}}").catch(() => undefined);
    if (answers === undefined) return undefined;
    await run("sh", ["-c", `tar -C "$1" -c . | docker import - "$2"`, "sh", rootfs, name]);
    const port = await freePort();
    await docker("create", "--name", name, "--publish", `127.0.0.1:${port}:8080`, name, ...args);
    return new DockerContainer(name, port);
  }

  /** Milliseconds from the begin of `docker start` to the first byte of the program's answer. Stopped again afterwards. */
  async start(): Promise<number> {
    const began = performance.now();
    const started = docker("start", this.#name);
    const atMs = await firstByteAt({ host: "127.0.0.1", port: this.#port }, "docker");
    await started;
    await docker("stop", "--time", "1", this.#name);
    return atMs - began;
  }

  async end(): Promise<void> {
    await docker("rm", "--force", this.#name);
    await docker("rmi", this.#name);
  }
}

async function docker(...words: readonly string[]): Promise<string> {
  return (await run("docker", words)).stdout.trim();
}
