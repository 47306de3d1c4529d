import { execFile, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { toolPath } from "#testing";
import { firstByteAt } from "./first-byte.ts";

const run = promisify(execFile);

interface OciConfig {
  readonly linux: { cgroupsPath: string };
}

/** `runc run` of a machine's own bundle, while the machine is stopped: what a start costs without anything around it. */
export class BareContainer {
  readonly #folder: string;
  readonly #root: string;
  readonly #cgroup: string;
  #runs = 0;

  private constructor(folder: string, id: string) {
    this.#folder = folder;
    this.#root = join(folder, "runc");
    this.#cgroup = `/drover-bench-${id}`;
  }

  /** `folder`: a place of its own. */
  static async make(folder: string, id: string): Promise<BareContainer> {
    await mkdir(folder, { recursive: true });
    return new BareContainer(folder, id);
  }

  /** Milliseconds from the begin of `runc run` to the first byte of the program's answer. */
  async run(bundle: string, address: { host: string; port: number }): Promise<number> {
    this.#runs += 1;
    const id = `bare-${this.#runs}`;
    const config = JSON.parse(await readFile(join(bundle, "config.json"), "utf8")) as OciConfig;
    config.linux.cgroupsPath = `${this.#cgroup}/${id}`;
    await writeFile(join(this.#folder, "config.json"), JSON.stringify(config));
    const runc = toolPath("runc");
    const began = performance.now();
    const words = ["--root", this.#root, "run", "--bundle", this.#folder, id];
    const child = spawn(runc, words, { stdio: "ignore" });
    const gone = new Promise((done) => child.once("close", done));
    try {
      return (await firstByteAt(address, "bare")) - began;
    } finally {
      await run(runc, ["--root", this.#root, "delete", "--force", id]);
      await gone;
    }
  }

  /** Takes away the control groups that runc leaves. */
  async end(): Promise<void> {
    await run("sh", [
      "-c",
      `rmdir /sys/fs/cgroup/*${this.#cgroup} /sys/fs/cgroup${this.#cgroup} 2>/dev/null; :`,
    ]);
  }
}
