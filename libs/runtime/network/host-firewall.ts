import { runCommand } from "../command.ts";
import type { HostNames } from "../names.ts";
import { admit, dismiss, type Neighbourhood, wholeFirewall } from "./firewall.ts";
import type { NetworkRecord, NetworkRecords } from "./network-records.ts";

/** Changes that go together. One without a script asks for the tables to be made anew. */
interface Batch {
  readonly scripts: (string | undefined)[];
  readonly applied: Promise<void>;
}

/**
 * Keeps the host's nft tables in step with the records. The tables are one thing that all machines share: there is one
 * transaction at a time, and all changes that came during one go together in the next.
 */
export class HostFirewall {
  readonly #names: HostNames;
  readonly #neighbourhood: Neighbourhood;
  readonly #records: NetworkRecords;
  /** Takes changes in until its turn comes. */
  #open: Batch | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(names: HostNames, neighbourhood: Neighbourhood, records: NetworkRecords) {
    this.#names = names;
    this.#neighbourhood = neighbourhood;
    this.#records = records;
  }

  /** Makes both tables anew from all records. Connections that stand are not disturbed. */
  rebuild(): Promise<void> {
    return this.#change(undefined);
  }

  /** Lets in a machine whose record is written already. `before` is the record that it replaced. */
  admit({ spec }: NetworkRecord, before: NetworkRecord | undefined): Promise<void> {
    // What an unfinished change left cannot be known: the record of what it replaced is gone.
    if (before?.complete === false) return this.rebuild();
    const shutOut = before === undefined ? "" : dismiss(this.#names, before.spec);
    return this.#change(`${shutOut}\n${admit(this.#names, spec)}`);
  }

  /** Forgets a machine's record and shuts it out: in this order, so that no rebuild lets it in again. */
  async dismiss(machineId: string): Promise<void> {
    const record = await this.#records.read(machineId);
    await this.#records.remove(machineId);
    await this.#change(record && dismiss(this.#names, record.spec));
  }

  #change(script: string | undefined): Promise<void> {
    this.#open ??= this.#nextBatch();
    this.#open.scripts.push(script);
    return this.#open.applied;
  }

  #nextBatch(): Batch {
    const scripts: Batch["scripts"] = [];
    const applied = this.#last.then(() => {
      this.#open = undefined;
      return this.#apply(scripts);
    });
    this.#last = applied.catch(() => {});
    return { scripts, applied };
  }

  /** When the changes do not apply, the tables are not what we left, and are made anew. */
  async #apply(scripts: Batch["scripts"]): Promise<void> {
    if (!scripts.includes(undefined) && (await succeeds(nft(scripts.join("\n"))))) return;
    const specs = (await this.#records.all()).map((record) => record.spec);
    await nft(wholeFirewall(this.#names, this.#neighbourhood, specs));
  }
}

async function nft(script: string): Promise<void> {
  await runCommand(["nft", "-f", "-"], { input: `${script}\n` });
}

function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
