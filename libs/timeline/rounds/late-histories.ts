import { HISTORY_LENGTH, Histories, type HistoryEntry } from "#fleet";
import { textNow, type WholeBlock } from "./block-file.ts";

/** Machines with entries to be written: one line each, so that each can be read by itself. */
export function historyLines(entries: Iterable<readonly [string, readonly HistoryEntry[]]>): string {
  let text = "";
  for (const [machineId, history] of entries) text += `${machineId}\t${JSON.stringify(history)}\n`;
  return text;
}

/**
 * Histories that are unpacked when somebody asks: most who want to know how things stood never do, and they are larger
 * than all the rest of a state.
 */
export class LateHistories extends Histories {
  #blocks: readonly WholeBlock[];
  readonly #isThere: (machineId: string) => boolean;
  /** By machine, what is not read yet: JSON lists, oldest first. */
  #packed: Map<string, string[]> | undefined;
  readonly #dropped = new Set<string>();

  /** `blocks`: all entries, then what was added, oldest first. `isThere`: of machines that the state includes. */
  constructor(blocks: readonly WholeBlock[], isThere: (machineId: string) => boolean) {
    super();
    this.#blocks = blocks;
    this.#isThere = isThere;
  }

  override get size(): number {
    this.#readAll();
    return super.size;
  }

  override of(machineId: string): readonly HistoryEntry[] {
    this.#read(machineId);
    return super.of(machineId);
  }

  override drop(machineId: string): void {
    super.drop(machineId);
    if (this.#packed === undefined) this.#dropped.add(machineId);
    else this.#packed.delete(machineId);
  }

  override all(): Iterable<readonly [string, readonly HistoryEntry[]]> {
    this.#readAll();
    return super.all();
  }

  /** Those that were added meanwhile come after what was packed. */
  #readAll(): void {
    for (const machineId of [...this.#unpacked().keys()]) this.#read(machineId);
  }

  #read(machineId: string): void {
    const packed = this.#unpacked().get(machineId);
    if (packed === undefined) return;
    this.#packed!.delete(machineId);
    const before = packed.flatMap((text) => JSON.parse(text) as HistoryEntry[]);
    const all = [...before, ...super.of(machineId)].slice(-HISTORY_LENGTH);
    super.drop(machineId);
    for (const entry of all) super.append(machineId, entry);
  }

  #unpacked(): Map<string, string[]> {
    if (this.#packed !== undefined) return this.#packed;
    const packed = new Map<string, string[]>();
    for (const block of this.#blocks) {
      for (const line of textNow(block).split("\n")) {
        const tab = line.indexOf("\t");
        const machineId = line.slice(0, tab);
        if (tab < 0 || this.#dropped.has(machineId) || !this.#isThere(machineId)) continue;
        const before = packed.get(machineId);
        if (before === undefined) packed.set(machineId, [line.slice(tab + 1)]);
        else before.push(line.slice(tab + 1));
      }
    }
    this.#blocks = [];
    this.#packed = packed;
    return packed;
  }
}
