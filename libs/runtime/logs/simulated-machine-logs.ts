import { Bell } from "./bell.ts";
import { type MachineLogLine, MachineLogs } from "./machine-logs.ts";

/** Machine logs in memory. `write` is the machine's side. */
export class SimulatedMachineLogs extends MachineLogs {
  readonly #logs = new Map<string, SimulatedLog>();
  readonly #added = new Bell();
  readonly #maxLines: number;

  constructor(maxLines = 1_000) {
    super();
    this.#maxLines = maxLines;
  }

  /** A machine writes a line. Its log must have been prepared. */
  write(machineId: string, line: MachineLogLine): void {
    const log = this.#logs.get(machineId);
    if (log === undefined) throw new Error(`no log was prepared for ${machineId}`);
    log.lines.push(line);
    log.dropped += log.lines.splice(0, log.lines.length - this.#maxLines).length;
    log.changed.ring();
  }

  override async prepare(machineId: string): Promise<string> {
    if (!this.#logs.has(machineId)) {
      this.#logs.set(machineId, { lines: [], dropped: 0, changed: new Bell(), removed: false });
    }
    this.#added.ring();
    return `/simulated/logs/${machineId}`;
  }

  override async read(machineId: string, tail: number): Promise<MachineLogLine[]> {
    const lines = this.#logs.get(machineId)?.lines ?? [];
    return lines.slice(Math.max(0, lines.length - tail));
  }

  override async *follow(
    machineId: string,
    tail: number,
    signal: AbortSignal,
  ): AsyncIterable<MachineLogLine> {
    while (!signal.aborted) {
      const added = this.#added.next(signal);
      const log = this.#logs.get(machineId);
      if (log !== undefined) return yield* linesOf(log, tail, signal);
      await added;
    }
  }

  override async remove(machineId: string): Promise<void> {
    const log = this.#logs.get(machineId);
    this.#logs.delete(machineId);
    if (log === undefined) return;
    log.removed = true;
    log.changed.ring();
  }

  override async list(): Promise<string[]> {
    return [...this.#logs.keys()];
  }
}

interface SimulatedLog {
  readonly lines: MachineLogLine[];
  /** Lines before the first of `lines`. */
  dropped: number;
  readonly changed: Bell;
  removed: boolean;
}

async function* linesOf(log: SimulatedLog, tail: number, signal: AbortSignal): AsyncIterable<MachineLogLine> {
  let next = log.dropped + Math.max(0, log.lines.length - tail);
  while (!signal.aborted && !log.removed) {
    const changed = log.changed.next(signal);
    next = Math.max(next, log.dropped);
    const line = log.lines[next - log.dropped];
    if (line === undefined) {
      await changed;
    } else {
      next += 1;
      yield line;
    }
  }
}
