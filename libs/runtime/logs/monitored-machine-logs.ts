import { type FSWatcher, watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { TerminalError } from "#kernel";
import { listFolder } from "../files.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { removeTree } from "../remove-tree.ts";
import { Bell } from "./bell.ts";
import { LogCursor } from "./log-cursor.ts";
import { LineAssembler, MAX_LINE_BYTES } from "./log-lines.ts";
import { CURRENT, LOG_SEGMENT_BYTES, LogSegments } from "./log-segments.ts";
import { type MachineLogLine, MachineLogs } from "./machine-logs.ts";

export interface MonitoredMachineLogsSettings {
  /** Absolute folder of its own: one folder per machine in it. */
  readonly dir: string;
  /** What the machines' monitors take as `--log-size-max`. `LOG_SEGMENT_BYTES` unless given. */
  readonly segmentBytes?: number;
  /** Room for one machine's log, to which its newest segment is added. 5 segments unless given. */
  readonly maxBytes?: number;
}

const SAFE_NAME = /^\w[\w.-]{0,127}$/;
const CHUNK_BYTES = 64 * 1024;

/** Logs that conmon writes in the CRI format, watched by inotify. One instance per folder at a time. */
export class MonitoredMachineLogs extends MachineLogs {
  readonly #settings: Required<MonitoredMachineLogsSettings>;
  readonly #logs = new Map<string, WatchedLog>();
  readonly #oneAtATime = new OneAtATime();
  /** Rings when a log is there that was not before. */
  readonly #added = new Bell();

  /** Opens the folder and takes up all logs in it. */
  static async open(settings: MonitoredMachineLogsSettings): Promise<MonitoredMachineLogs> {
    const logs = new MonitoredMachineLogs(settings);
    await mkdir(settings.dir, { recursive: true, mode: 0o700 });
    for (const machineId of await logs.list()) await logs.#watch(machineId).segments.tend();
    return logs;
  }

  private constructor(settings: MonitoredMachineLogsSettings) {
    super();
    const { segmentBytes = LOG_SEGMENT_BYTES } = settings;
    this.#settings = { maxBytes: 5 * segmentBytes, segmentBytes, ...settings };
  }

  override async prepare(machineId: string): Promise<string> {
    return this.#oneAtATime.take(machineId, async () => {
      await mkdir(this.#dirOf(machineId), { recursive: true, mode: 0o700 });
      const log = this.#watch(machineId);
      await log.segments.prepare();
      this.#added.ring();
      return log.segments.currentPath;
    });
  }

  override async read(machineId: string, tail: number): Promise<MachineLogLine[]> {
    const log = this.#logs.get(machineId);
    if (log === undefined) return [];
    const { lines, cursor, assembler } = await readTail(log.segments, tail);
    await cursor.close();
    return lastOf([...lines, ...assembler.unfinished()], tail);
  }

  override async *follow(
    machineId: string,
    tail: number,
    signal: AbortSignal,
  ): AsyncIterable<MachineLogLine> {
    const log = await this.#await(machineId, signal);
    if (log === undefined) return;
    const { lines, cursor, assembler } = await readTail(log.segments, tail);
    try {
      yield* lines;
      while (!signal.aborted && !log.removed) {
        const changed = log.changed.next(signal);
        const bytes = await cursor.read(CHUNK_BYTES);
        if (bytes === undefined) await changed;
        else yield* assembler.feed(bytes);
      }
    } finally {
      await cursor.close();
    }
  }

  override async remove(machineId: string): Promise<void> {
    await this.#oneAtATime.take(machineId, async () => {
      this.#logs.get(machineId)?.end();
      this.#logs.delete(machineId);
      await removeTree(this.#dirOf(machineId));
    });
  }

  override async list(): Promise<string[]> {
    return listFolder(this.#settings.dir);
  }

  /** Stops watching. Monitors write on. */
  close(): void {
    for (const log of this.#logs.values()) log.end();
    this.#logs.clear();
  }

  /** The machine's log as soon as there is one; undefined when the signal fires first. */
  async #await(machineId: string, signal: AbortSignal): Promise<WatchedLog | undefined> {
    while (!signal.aborted) {
      const added = this.#added.next(signal);
      const log = this.#logs.get(machineId);
      if (log !== undefined) return log;
      await added;
    }
    return undefined;
  }

  #watch(machineId: string): WatchedLog {
    const { segmentBytes, maxBytes } = this.#settings;
    const dir = this.#dirOf(machineId);
    const log =
      this.#logs.get(machineId) ?? new WatchedLog(dir, new LogSegments(dir, segmentBytes, maxBytes));
    this.#logs.set(machineId, log);
    return log;
  }

  #dirOf(machineId: string): string {
    if (SAFE_NAME.test(machineId)) return join(this.#settings.dir, machineId);
    throw new TerminalError("invalid", `"${machineId.slice(0, 40)}" cannot name a folder.`);
  }
}

/** One machine's log under watch: each new segment is numbered, followers are told of each change. */
class WatchedLog {
  readonly segments: LogSegments;
  readonly changed = new Bell();
  readonly #watcher: FSWatcher;
  removed = false;

  constructor(dir: string, segments: LogSegments) {
    this.segments = segments;
    this.#watcher = watch(dir, { persistent: false }, (event, file) => {
      if (event === "rename" && (file === null || file === CURRENT)) void this.#tend();
      else this.changed.ring();
    });
    this.#watcher.on("error", () => {}); // the folder is gone, and so is the log
  }

  end(): void {
    this.removed = true;
    this.#watcher.close();
    this.changed.ring();
  }

  async #tend(): Promise<void> {
    await this.segments.tend().catch(() => {}); // each read, and the next event, makes up for it
    this.changed.ring();
  }
}

/**
 * The last lines, and the place and the state to go on from. Reads backwards in growing windows; each begins with room
 * for one line at its longest, whose end alone would be taken for a line.
 */
async function readTail(segments: LogSegments, tail: number) {
  await segments.tend();
  for (let window = CHUNK_BYTES; ; window *= 4) {
    const start = await segments.placeBeforeEnd(MAX_LINE_BYTES + window);
    const cursor = new LogCursor(segments, start);
    const assembler = new LineAssembler(start.offset > 0);
    const lines: MachineLogLine[] = [];
    for (let done = 0; done < start.following; ) {
      const bytes = await cursor.read(Math.min(CHUNK_BYTES, start.following - done));
      if (bytes === undefined) break;
      const more = assembler.feed(bytes);
      if (start.beginning || done >= MAX_LINE_BYTES) lines.push(...more);
      if (lines.length > 2 * tail) lines.splice(0, lines.length - tail);
      done += bytes.length;
    }
    if (start.beginning || lines.length >= tail) return { lines: lastOf(lines, tail), cursor, assembler };
    await cursor.close();
  }
}

function lastOf<T>(items: T[], count: number): T[] {
  return count === 0 ? [] : items.slice(-count);
}
