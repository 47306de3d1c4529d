import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { RetryAfterError } from "#kernel";
import { type HostNames, startOfContainer } from "../names.ts";
import { Bundle, bundlesIn } from "./bundle.ts";
import type { Cgroups } from "./cgroups.ts";
import type { Exits } from "./exits.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import { processesWhose, signalPid, signalTo } from "./processes.ts";

const POLL_MS = 10;
const DYING_MS = 8_000;

/** Everything that containers of one host leave on it, found and taken away by container id. */
export class ContainerTraces {
  readonly #names: HostNames;
  readonly #bundles: string;
  readonly #exits: Exits;
  readonly #cgroups: Cgroups;
  readonly #runtime: OciRuntime;

  constructor(names: HostNames, bundles: string, exits: Exits, cgroups: Cgroups, runtime: OciRuntime) {
    this.#names = names;
    this.#bundles = bundles;
    this.#exits = exits;
    this.#cgroups = cgroups;
    this.#runtime = runtime;
  }

  bundleOf(containerId: string): Bundle {
    return new Bundle(this.#bundles, containerId);
  }

  cgroupOf(containerId: string): string {
    return `${this.#names.cgroupParent}/${containerId}`;
  }

  /** Ids of all containers of which anything is left. */
  async list(): Promise<string[]> {
    const found = await Promise.all([
      bundlesIn(this.#bundles),
      this.#runtime.containers(),
      this.#exits.list(),
      this.#cgroups.childrenOf(this.#names.cgroupParent),
    ]);
    return [...new Set(found.flat())].filter((id) => startOfContainer(id) !== undefined).sort();
  }

  /** Ids of those that were made ready and never launched. */
  async ready(): Promise<string[]> {
    const isReady = async (containerId: string) => {
      const bundle = this.bundleOf(containerId);
      return (await bundle.ready()) !== undefined && (await bundle.started()) === undefined;
    };
    const containerIds = await bundlesIn(this.#bundles);
    const found = await Promise.all(containerIds.map(isReady));
    return containerIds.filter((_, index) => found[index]);
  }

  /**
   * Kills what runs of a container and takes its traces away, the bundle last: as long as anything is left, so is the
   * bundle. Throws `RetryAfterError` ("not_dying").
   */
  async wipe(containerId: string): Promise<void> {
    const bundle = this.bundleOf(containerId);
    const isMade =
      (await bundle.ready()) !== undefined || (await this.#exits.read(containerId)) !== undefined;
    await this.kill(containerId, !isMade);
    await bundle.forgetStart();
    await this.#removeGroup(this.cgroupOf(containerId));
    await this.#runtime.forget(containerId);
    await rm(`${this.#names.socketFolder}/${containerId}`, { recursive: true, force: true });
    await this.#exits.remove(containerId);
    await bundle.remove();
  }

  /**
   * Kills the monitor and all processes in the container's control group until none is left. `thorough`: also
   * whatever is still at work on creating it, which may not be known by any pid file yet.
   */
  async kill(containerId: string, thorough: boolean): Promise<void> {
    await untilDone(async () => !(await this.#killOnce(containerId, thorough)));
  }

  /** A process that has ended keeps its group until its parent has taken note. */
  async #removeGroup(group: string): Promise<void> {
    await untilDone(async () => this.#cgroups.remove(group));
  }

  async #killOnce(containerId: string, thorough: boolean): Promise<boolean> {
    const monitor = await this.bundleOf(containerId).monitor();
    const atWork = thorough ? this.#atWorkOn(containerId) : [];
    for (const process of monitor === undefined ? atWork : [...atWork, monitor]) signalTo(process, "SIGKILL");
    const group = this.cgroupOf(containerId);
    const pids = this.#cgroups.pidsIn(group);
    for (const pid of pids) signalPid(pid, "SIGKILL");
    if (pids.length > 0) this.#cgroups.thaw(group);
    return pids.length > 0 || atWork.length > 0 || monitor !== undefined;
  }

  /** Monitors and runtime commands for this very container: its id and our bundle or runtime root are their arguments. */
  #atWorkOn(containerId: string) {
    const { path } = this.bundleOf(containerId);
    const places = [path, this.#runtime.root];
    return processesWhose(
      (argv) => argv.includes(containerId) && places.some((place) => argv.includes(place)),
    );
  }
}

/** Control groups tell nobody when they become empty, so this asks again and again. */
async function untilDone(attempt: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < DYING_MS; waitedMs += POLL_MS) {
    if (await attempt()) return;
    await sleep(POLL_MS);
  }
  throw new RetryAfterError("not_dying", "the container's processes do not end, though killed", 1_000);
}
