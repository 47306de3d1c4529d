import { StringDecoder } from "node:string_decoder";
import type { MachineLogLine } from "./machine-logs.ts";

/** Lines longer than this arrive in pieces of about this size. */
export const MAX_LINE_BYTES = 64 * 1024;
/** No record of the monitor is longer: it writes what it reads, 8 KiB at a time. What is, is torn. */
const MAX_RECORD_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
/** `2026-01-31T12:00:00.123456789+00:00 stdout P text`: P when the line goes on in a later record, F when it ends. */
const HEADER = /^(\S{19,40}) (stdout|stderr) ([FP])(?: |$)/;
const HEADER_BYTES = 64;

type Stream = MachineLogLine["stream"];

/**
 * Turns the bytes of a log in the CRI format into lines, joining the records of one line. Its memory is bounded whatever
 * a guest writes. Torn records, from a full disk or a cut at the beginning, are skipped.
 */
export class LineAssembler {
  readonly #open = new Map<Stream, OpenLine>();
  #record: Buffer = Buffer.alloc(0);
  #skipping: boolean;

  /** `midRecord`: the bytes may begin within a record, which is skipped. */
  constructor(midRecord: boolean) {
    this.#skipping = midRecord;
  }

  /** The lines that end within these bytes. */
  feed(bytes: Buffer): MachineLogLine[] {
    const lines: MachineLogLine[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      const record = this.#whole(bytes.subarray(from, end));
      if (record !== undefined) this.#take(record, lines);
      from = end + 1;
    }
    this.#keep(bytes.subarray(from));
    return lines;
  }

  /** The lines that have begun and not ended: a prompt, or the last words of a process. */
  unfinished(): MachineLogLine[] {
    return [...this.#open].flatMap(([stream, line]) => {
      const text = line.text + line.decoder.end();
      return text === "" ? [] : [{ atMs: line.atMs, stream, text }];
    });
  }

  #whole(end: Buffer): Buffer | undefined {
    const record = this.#record.length === 0 ? end : Buffer.concat([this.#record, end]);
    this.#record = Buffer.alloc(0);
    const skipped = this.#skipping;
    this.#skipping = false;
    return skipped ? undefined : record;
  }

  #keep(rest: Buffer): void {
    if (this.#skipping || rest.length === 0) return;
    this.#skipping = this.#record.length + rest.length > MAX_RECORD_BYTES;
    this.#record = this.#skipping ? Buffer.alloc(0) : Buffer.concat([this.#record, rest]);
  }

  #take(record: Buffer, lines: MachineLogLine[]): void {
    const header = HEADER.exec(record.toString("latin1", 0, HEADER_BYTES));
    const atMs = Date.parse(header?.[1] ?? "");
    if (header === null || Number.isNaN(atMs)) return;
    const stream = header[2] as Stream;
    const line = this.#open.get(stream) ?? {
      atMs,
      decoder: new StringDecoder("utf8"),
      text: "",
      begun: false,
    };
    this.#open.set(stream, line);
    line.text += line.decoder.write(record.subarray(header[0].length));
    const ends = header[3] === "F";
    if (ends) {
      line.text += line.decoder.end();
      this.#open.delete(stream);
    }
    if (ends ? line.text !== "" || !line.begun : line.text.length >= MAX_LINE_BYTES) {
      lines.push({ atMs: line.atMs, stream, text: line.text });
      line.text = "";
      line.begun = true;
    }
  }
}

interface OpenLine {
  readonly atMs: number;
  readonly decoder: StringDecoder;
  text: string;
  /** A piece of it was given out already. */
  begun: boolean;
}
