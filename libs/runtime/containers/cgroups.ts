import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";

/** One mounted hierarchy of control groups. */
interface Hierarchy {
  readonly mount: string;
  /** Controllers (v1) or `name=systemd`; empty for v2. */
  readonly options: readonly string[];
  readonly isV2: boolean;
}

/**
 * The control groups of this machine, whichever version: v2, v1, or v1 with v2 beside it. A group is a path that is
 * looked up in each hierarchy; being a member of a container's group is what makes a process the container's.
 */
export class Cgroups {
  readonly #hierarchies: readonly Hierarchy[];

  constructor(mounts: string = readFileSync("/proc/self/mounts", "utf8")) {
    this.#hierarchies = mounts
      .split("\n")
      .map((line) => line.split(" "))
      .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
      .map(([, mount, type, options]) => ({
        mount: mount!,
        options: type === "cgroup" ? options!.split(",") : [],
        isV2: type === "cgroup2",
      }));
  }

  /** Whether a limit on memory can bound swap, too. */
  get limitsSwap(): boolean {
    return this.#hierarchies.some(
      ({ mount, isV2, options }) =>
        isV2 || (options.includes("memory") && existsSync(`${mount}/memory.memsw.limit_in_bytes`)),
    );
  }

  /** Ids of all processes in the group and below it. */
  pidsIn(group: string): number[] {
    const pids = new Set<number>();
    for (const folder of this.#foldersOf(group)) {
      for (const file of subtree(folder)) {
        for (const pid of read(`${file}/cgroup.procs`).split("\n")) if (pid !== "") pids.add(Number(pid));
      }
    }
    return [...pids];
  }

  /** Lets a frozen group run, so that it can die. */
  thaw(group: string): void {
    for (const folder of this.#foldersOf(group).flatMap(subtree)) {
      tryWrite(`${folder}/freezer.state`, "THAWED");
      tryWrite(`${folder}/cgroup.freeze`, "0");
    }
  }

  /** Whether the kernel killed one of the group's processes because its memory was used up. */
  ranOutOfMemory(group: string): boolean {
    return this.#foldersOf(group).some((folder) =>
      ["memory.oom_control", "memory.events"].some((file) =>
        /^oom_kill [1-9]/m.test(read(`${folder}/${file}`)),
      ),
    );
  }

  /** Removes the group from every hierarchy; false while a process is still in it. */
  remove(group: string): boolean {
    for (const folder of this.#foldersOf(group).flatMap(subtree)) {
      try {
        rmdirSync(folder);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") return false;
      }
    }
    return true;
  }

  /** Names of the groups right below this one, in any hierarchy. */
  childrenOf(group: string): string[] {
    return [...new Set(this.#foldersOf(group).flatMap(children))];
  }

  exists(group: string): boolean {
    return this.#foldersOf(group).length > 0;
  }

  /** Makes the group where service managers look for a service's processes; returns the files that take members in. */
  async shelter(group: string): Promise<string[]> {
    const watched = this.#hierarchies.filter(({ isV2, options }) => isV2 || options.includes("name=systemd"));
    for (const { mount } of watched) await mkdir(mount + group, { recursive: true });
    return watched.map(({ mount }) => `${mount}${group}/cgroup.procs`);
  }

  #foldersOf(group: string): string[] {
    return this.#hierarchies.map(({ mount }) => mount + group).filter((folder) => existsSync(folder));
  }
}

/** The group's folder and all below it, deepest first. */
function subtree(folder: string): string[] {
  return [...children(folder).flatMap((name) => subtree(`${folder}/${name}`)), folder];
}

function children(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return []; // removed while we looked
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // no such controller here, or removed while we looked
  }
}

function tryWrite(file: string, text: string): void {
  try {
    if (existsSync(file)) writeFileSync(file, text);
  } catch {
    // removed while we looked
  }
}
