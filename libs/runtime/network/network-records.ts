import { mkdir, rm } from "node:fs/promises";
import { listFolder, readText, writeWhole } from "../files.ts";
import type { HostNames } from "../names.ts";
import type { NetworkSpec } from "./machine-network.ts";

/** What was last begun for a machine's network, and whether it was finished. */
export interface NetworkRecord {
  readonly spec: NetworkSpec;
  readonly complete: boolean;
}

/**
 * Written before the kernel is touched and again afterwards, so that whatever stands in the kernel has a record. They
 * are under /run and vanish in a reboot, as the kernel's objects do.
 */
export class NetworkRecords {
  readonly #names: HostNames;

  constructor(names: HostNames) {
    this.#names = names;
  }

  async read(machineId: string): Promise<NetworkRecord | undefined> {
    const text = await readText(this.#fileOf(machineId));
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as NetworkRecord;
    } catch {
      return undefined; // a disk that was full: as good as none
    }
  }

  async write(record: NetworkRecord): Promise<void> {
    const file = this.#fileOf(record.spec.machineId);
    await mkdir(this.#names.networkFolder, { recursive: true });
    await writeWhole(file, JSON.stringify(record));
  }

  async remove(machineId: string): Promise<void> {
    await rm(this.#fileOf(machineId), { force: true });
  }

  /** Ids of the machines with a record. */
  async list(): Promise<string[]> {
    const files = await listFolder(this.#names.networkFolder);
    return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
  }

  async all(): Promise<NetworkRecord[]> {
    const records = await Promise.all((await this.list()).map((machineId) => this.read(machineId)));
    return records.filter((record) => record !== undefined);
  }

  #fileOf(machineId: string): string {
    return `${this.#names.networkFolder}/${machineId}.json`;
  }
}
