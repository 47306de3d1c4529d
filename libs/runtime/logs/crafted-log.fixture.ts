import { closeSync, openSync, renameSync, writeSync } from "node:fs";

/** Writes a log as conmon 2.1.6 does, for tests: records in the CRI format, begun anew by a rename. */
export class CraftedLog {
  readonly #path: string;
  readonly #segmentBytes: number;
  #file: number;
  #written = 0;

  constructor(path: string, segmentBytes: number) {
    this.#path = path;
    this.#segmentBytes = segmentBytes;
    this.#file = openSync(path, "a", 0o600);
  }

  /** `flag`: P when the line goes on in the next record of the stream, F when it ends. */
  record(stream: "stdout" | "stderr", flag: "P" | "F", text: string | Buffer, atMs = 0): void {
    const head = `${new Date(atMs).toISOString().replace("Z", "000000+00:00")} ${stream} ${flag} `;
    this.raw(Buffer.concat([Buffer.from(head), Buffer.from(text), Buffer.from("\n")]));
  }

  raw(bytes: Buffer): void {
    if (this.#written + bytes.length > this.#segmentBytes) this.#beginAnew();
    this.#written += bytes.length;
    writeSync(this.#file, bytes);
  }

  close(): void {
    closeSync(this.#file);
  }

  #beginAnew(): void {
    closeSync(this.#file);
    this.#file = openSync(`${this.#path}.tmp`, "w", 0o600);
    renameSync(`${this.#path}.tmp`, this.#path);
    this.#written = 0;
  }
}
