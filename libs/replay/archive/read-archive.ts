import { createHash, type Hash } from "node:crypto";
import {
  ARCHIVE_FORMAT,
  type ArchivedEvent,
  type ArchiveHeader,
  type ArchivePart,
  archivedEventSchema,
  archiveEndSchema,
  archiveHeaderSchema,
  archivePartSchema,
  issueText,
  type RecordedEvent,
  unarchive,
} from "#contracts";
import { FLEET_FOLD_VERSION } from "#fleet";
import { type Position, wallMsOf } from "#kernel";
import { baseFrom, type StateBefore } from "./base-parts.ts";
import { boundedLines, isNestedDeeper, type Line, LineTooLongError } from "./bounded-lines.ts";
import { invalidArchive } from "./invalid-archive.ts";

/** A log takes no larger event. */
const MOST_EVENT_BYTES = 9 * 1024 * 1024;
/** What one host with ten thousand machines comes to. */
const MOST_PART_BYTES = 32 * 1024 * 1024;
const MOST_HEADER_BYTES = 1024 * 1024;
const MOST_NESTING = 64;
const MOST_LOGS = 100_000;
/** Events that cannot be read are set aside one by one (I10); where there are so many, it is the file that is wrong. */
const MOST_UNREADABLE = 1_000;

/** Where an archive's bytes come from, from its beginning each time. `name`: what it is called in errors. */
export interface ArchiveSource {
  readonly name: string;
  open(): AsyncIterable<Buffer>;
}

/** An event that is set aside: the rest of its file applies. */
export interface UnreadableLine {
  readonly line: number;
  readonly place: string;
  readonly reason: string;
}

/** A file that was read to its end and found whole. */
export interface Archive {
  readonly header: ArchiveHeader;
  readonly base?: StateBefore;
  readonly events: number;
  /** Where each log ends in it; those that only its base names among them. */
  readonly end: Position;
  /** Wall time of its earliest and latest event, epoch milliseconds; 0 without events. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly unreadable: readonly UnreadableLine[];
  readonly sha256: string;
}

/**
 * Reads an archive from beginning to end, strictly: every line by its schema, each log in order and nothing twice, the count
 * and the checksum at the end. Throws a refusal (`invalid`) that names the line. Holds a line at a time, and the base.
 */
export async function checkArchive(source: ArchiveSource): Promise<Archive> {
  const check = new ArchiveCheck(source.name);
  await eachLine(source, (line) => check.take(line));
  return check.finish();
}

/** The events of an archive that was checked, in its order, in batches; without those that are set aside. */
export async function* archivedEvents(
  source: ArchiveSource,
  archive: Archive,
): AsyncGenerator<readonly RecordedEvent[]> {
  const skipped = new Set(archive.unreadable.map(({ line }) => line));
  const first = 2 + archive.header.parts;
  const last = first + archive.events - 1;
  let batch: RecordedEvent[] = [];
  for await (const { number, bytes } of linesOf(source)) {
    if (number < first || skipped.has(number)) continue;
    if (number > last) break;
    const decoded = unarchive(JSON.parse(bytes.toString("utf8")) as ArchivedEvent, false);
    if (decoded.kind === "bad") throw invalidArchive(source.name, number, "it changed while it was read");
    batch.push(decoded.event);
    if (batch.length < 1_000) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function linesOf(source: ArchiveSource): AsyncGenerator<Line> {
  return boundedLines(source.open(), (line) =>
    line === 1 ? MOST_HEADER_BYTES : Math.max(MOST_EVENT_BYTES, MOST_PART_BYTES),
  );
}

async function eachLine(source: ArchiveSource, take: (line: Line) => void): Promise<void> {
  try {
    for await (const line of linesOf(source)) take(line);
  } catch (thrown) {
    if (!(thrown instanceof LineTooLongError)) throw thrown;
    const { line, mostBytes } = thrown;
    throw invalidArchive(source.name, line, `it is longer than ${mostBytes} bytes, the most of any line`);
  }
}

/** What has been read so far of a file that is not known to be whole yet. */
class ArchiveCheck {
  readonly #name: string;
  readonly #hash: Hash = createHash("sha256");
  readonly #parts: ArchivePart[] = [];
  readonly #end: Record<string, number> = {};
  readonly #unreadable: UnreadableLine[] = [];
  #header: ArchiveHeader | undefined;
  #base: StateBefore | undefined;
  #lines = 0;
  #logs = 0;
  #events = 0;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;
  #sha256: string | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  take({ number, bytes }: Line): void {
    this.#lines = number;
    if (this.#sha256 !== undefined) throw this.#wrong(number, "it comes after the last line of an archive");
    const json = this.#parsed(number, bytes);
    if (this.#header === undefined) this.#takeHeader(json);
    else if (number <= 1 + this.#header.parts) this.#takePart(number, json, this.#header);
    else if (isEnd(json)) this.#takeEnd(number, json);
    else this.#takeEvent(number, bytes.length, json);
    if (this.#sha256 === undefined) this.#hash.update(bytes).update("\n");
  }

  finish(): Archive {
    const header = this.#header;
    if (header === undefined) throw this.#wrong(1, "it is empty: it is no archive");
    if (this.#sha256 === undefined) {
      const message = "it ends before its last line, which tells how many events there are: it was cut short";
      throw this.#wrong(this.#lines, message);
    }
    return {
      header,
      ...(this.#base === undefined ? {} : { base: this.#base }),
      events: this.#events,
      end: this.#end,
      firstMs: this.#lastMs === 0 ? 0 : this.#firstMs,
      lastMs: this.#lastMs,
      unreadable: this.#unreadable,
      sha256: this.#sha256,
    };
  }

  #parsed(number: number, bytes: Buffer): unknown {
    if (isNestedDeeper(bytes, MOST_NESTING)) {
      throw this.#wrong(number, `it is nested deeper than ${MOST_NESTING} levels`);
    }
    try {
      return JSON.parse(bytes.toString("utf8"));
    } catch {
      throw this.#wrong(number, this.#lines === 1 ? NO_ARCHIVE : "it is not JSON");
    }
  }

  #takeHeader(json: unknown): void {
    const isOurs = typeof json === "object" && json !== null && "drover" in json;
    if (!isOurs) throw this.#wrong(1, NO_ARCHIVE);
    if ("format" in json && typeof json.format === "number" && json.format > ARCHIVE_FORMAT) {
      const message = `its format is ${json.format}, and this release reads ${ARCHIVE_FORMAT}: use a newer one`;
      throw this.#wrong(1, message);
    }
    const header = archiveHeaderSchema.safeParse(json);
    if (!header.success) throw this.#wrong(1, issueText(header.error));
    if (header.data.parts > 0 && header.data.foldVersion !== FLEET_FOLD_VERSION) {
      const message = `it begins with a state of fold version ${header.data.foldVersion}, and this release folds to ${FLEET_FOLD_VERSION}: export it again`;
      throw this.#wrong(1, message);
    }
    this.#header = header.data;
    for (const [log, sequence] of Object.entries(header.data.after)) this.#advance(1, log, sequence);
  }

  #takePart(number: number, json: unknown, { parts, after, afterMs }: ArchiveHeader): void {
    const part = archivePartSchema.safeParse(json);
    if (!part.success) throw this.#wrong(number, `no part of a state: ${issueText(part.error)}`);
    this.#parts.push(part.data);
    if (this.#parts.length < parts) return;
    try {
      this.#base = baseFrom(this.#parts.splice(0), after, afterMs);
    } catch (thrown) {
      throw this.#wrong(number, `the state before it cannot be read: ${String(thrown)}`.slice(0, 300));
    }
  }

  #takeEvent(number: number, length: number, json: unknown): void {
    if (length > MOST_EVENT_BYTES) {
      throw this.#wrong(number, `it is longer than ${MOST_EVENT_BYTES} bytes, the most of an event`);
    }
    const checked = archivedEventSchema.safeParse(json);
    if (!checked.success) throw this.#wrong(number, `no event: ${issueText(checked.error)}`);
    const { log, sequence, header } = checked.data;
    this.#advance(number, log, sequence);
    this.#events += 1;
    const ms = wallMsOf(header.clock);
    this.#firstMs = Math.min(this.#firstMs, ms);
    this.#lastMs = Math.max(this.#lastMs, ms);
    // The line is what is hashed and read again: what the schema made of it is not kept.
    const decoded = unarchive(json as ArchivedEvent, true);
    if (decoded.kind === "event") return;
    this.#unreadable.push({ line: number, place: `${log}:${sequence}`, reason: decoded.reason });
    if (this.#unreadable.length <= MOST_UNREADABLE) return;
    throw this.#wrong(number, `more than ${MOST_UNREADABLE} of its events cannot be read: ${decoded.reason}`);
  }

  #advance(number: number, log: string, sequence: number): void {
    const before = Object.hasOwn(this.#end, log) ? this.#end[log]! : 0;
    if (sequence <= before) {
      const what = sequence === before ? "stands in it already" : `comes after ${log}:${before}`;
      throw this.#wrong(number, `${log}:${sequence} ${what}: each log has to be in order`);
    }
    if (before === 0) this.#logs += 1;
    if (this.#logs > MOST_LOGS) throw this.#wrong(number, `it is of more than ${MOST_LOGS} logs`);
    this.#end[log] = sequence;
  }

  #takeEnd(number: number, json: object): void {
    const end = archiveEndSchema.safeParse(json);
    if (!end.success) throw this.#wrong(number, `no last line: ${issueText(end.error)}`);
    if (end.data.end.events !== this.#events) {
      const message = `it counts ${end.data.end.events} events, and there are ${this.#events}`;
      throw this.#wrong(number, message);
    }
    const sha256 = this.#hash.digest("hex");
    if (sha256 !== end.data.end.sha256) {
      throw this.#wrong(number, "the checksum is another: the file was changed, or is damaged");
    }
    this.#sha256 = sha256;
  }

  #wrong(line: number, what: string) {
    return invalidArchive(this.#name, line, what);
  }
}

function isEnd(json: unknown): json is object {
  return typeof json === "object" && json !== null && "end" in json;
}

const NO_ARCHIVE = "it is no archive: `drover replay export` makes them";
