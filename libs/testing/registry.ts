import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { OciLayout } from "#small-image";
import { type Child, startChild } from "./child.ts";
import { freePort } from "./nats-server.ts";
import { toolPath } from "./tool.ts";

const run = promisify(execFile);

/** A real image registry under test, plain HTTP on loopback. */
export interface Registry {
  /** "127.0.0.1:…", what references to it begin with. */
  readonly address: string;
  /** Pushes a layout as it is, under "name:tag". Resolves to what a machine's config names it by. */
  push(layout: OciLayout, name: string): Promise<{ readonly reference: string; readonly pinned: string }>;
  /** From now on it takes connections and answers nothing, until `resume`. */
  pause(): void;
  resume(): void;
  /** Changes a byte of a blob on its disk: it goes on serving it under the old digest. */
  corrupt(digest: string): Promise<void>;
  /** Ends it; what was pushed stays for `start`. */
  kill(): Promise<void>;
  /** Starts it again at the same address. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** Starts Debian's docker-registry on a free port; resolves when it listens. */
export async function startRegistry(): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), "drover-registry-"));
  const registry = new RunningRegistry(folder, `127.0.0.1:${await freePort()}`);
  try {
    await registry.start();
    return registry;
  } catch (error) {
    await registry.stop();
    throw error;
  }
}

class RunningRegistry implements Registry {
  readonly address: string;
  readonly #folder: string;
  #child: Child | undefined;

  constructor(folder: string, address: string) {
    this.#folder = folder;
    this.address = address;
  }

  async start(): Promise<void> {
    await this.kill();
    const config = join(this.#folder, "config.json");
    await writeFile(config, JSON.stringify(configOf(this.address, this.#folder)));
    this.#child = await startChild(toolPath("docker-registry"), ["serve", config], /listening on/);
  }

  async push({ folder, digest }: OciLayout, name: string) {
    const reference = `${this.address}/${name}`;
    await run(toolPath("skopeo"), [
      "copy",
      "--insecure-policy",
      "--quiet",
      "--preserve-digests",
      "--dest-tls-verify=false",
      `oci:${folder}`,
      `docker://${reference}`,
    ]);
    return { reference, pinned: `${reference.replace(/:[^:/]*$/, "")}@${digest}` };
  }

  pause(): void {
    this.#child?.signal("SIGSTOP");
  }

  resume(): void {
    this.#child?.signal("SIGCONT");
  }

  async corrupt(digest: string): Promise<void> {
    const hex = digest.replace("sha256:", "");
    const file = join(this.#folder, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
    const bytes = await readFile(file);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(file, bytes);
  }

  async kill(): Promise<void> {
    await this.#child?.kill();
    this.#child = undefined;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** YAML takes JSON as it is. */
function configOf(address: string, folder: string) {
  return {
    version: 0.1,
    log: { level: "info", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
    http: { addr: address },
  };
}
