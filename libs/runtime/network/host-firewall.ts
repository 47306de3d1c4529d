import { runCommand } from "../command.ts";
import type { HostNames } from "../names.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { admit, dismiss, wholeFirewall } from "./firewall.ts";
import type { NetworkRecord, NetworkRecords } from "./network-records.ts";

/**
 * Keeps the host's nft tables in step with the records. Each change is one transaction and they go one after the
 * other, because the tables are one thing that all machines share.
 */
export class HostFirewall {
  readonly #names: HostNames;
  readonly #subnet: string;
  readonly #records: NetworkRecords;
  readonly #turns = new OneAtATime();

  constructor(names: HostNames, subnet: string, records: NetworkRecords) {
    this.#names = names;
    this.#subnet = subnet;
    this.#records = records;
  }

  /** Makes both tables anew from all records. Connections that stand are not disturbed. */
  rebuild(): Promise<void> {
    return this.#inTurn(() => this.#rebuild());
  }

  /**
   * Lets in a machine whose record is written already. `before` is the record that it replaced. When the change does
   * not apply, the tables are not what we left, and are made anew.
   */
  admit({ spec }: NetworkRecord, before: NetworkRecord | undefined): Promise<void> {
    return this.#inTurn(async () => {
      // What an unfinished change left cannot be known: the record of what it replaced is gone.
      if (before?.complete === false) return this.#rebuild();
      const script = [
        ...(before === undefined ? [] : [dismiss(this.#names, before.spec)]),
        admit(this.#names, spec),
      ];
      await apply(script.join("\n")).catch(() => this.#rebuild());
    });
  }

  /** Shuts a machine out and forgets its record, in one turn: a rebuild in between would let it in again. */
  dismiss(machineId: string): Promise<void> {
    return this.#inTurn(async () => {
      const record = await this.#records.read(machineId);
      await this.#records.remove(machineId);
      const script = record === undefined ? undefined : dismiss(this.#names, record.spec);
      await (script === undefined ? this.#rebuild() : apply(script).catch(() => this.#rebuild()));
    });
  }

  async #rebuild(): Promise<void> {
    const specs = (await this.#records.all()).map((record) => record.spec);
    await apply(wholeFirewall(this.#names, this.#subnet, specs));
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#turns.take("tables", task);
  }
}

async function apply(script: string): Promise<void> {
  await runCommand(["nft", "-f", "-"], { input: `${script}\n` });
}
