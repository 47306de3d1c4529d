import { write, writeSync } from "node:fs";

/** More than this waits in memory only while nobody takes it. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
const RETRY_MS = 20;

/**
 * Writes lines to a file descriptor behind the event loop's back. What nobody takes (a full disk, a reader that hangs)
 * is dropped and counted, never waited for (F44); how many were lost is said in the log as soon as it works again.
 */
export class LineSink {
  readonly #fd: number;
  readonly #maxWaitingBytes: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #dropped = 0;

  constructor(fd: number, maxWaitingBytes = MAX_WAITING_BYTES) {
    this.#fd = fd;
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  /** Takes a line with its newline. Never throws. */
  write(line: string): void {
    if (this.#waitingBytes > this.#maxWaitingBytes) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#isWriting) return;
    this.#isWriting = true;
    // Not at once: what the last turn of the event loop says before an exit is left for `flushSync`.
    setImmediate(() => this.#writeNext());
  }

  /** For the very end of the process: writes what waits, unless nobody takes it. */
  flushSync(): void {
    try {
      for (let rest = this.#take(); rest.length > 0; ) rest = rest.subarray(writeSync(this.#fd, rest));
    } catch {
      // The process ends anyway.
    }
  }

  #writeNext(): void {
    const lines = this.#waiting.length;
    const batch = this.#take();
    if (batch.length === 0) {
      this.#isWriting = false;
      return;
    }
    this.#put(batch, (isWritten) => {
      if (!isWritten) this.#dropped += lines;
      else if (this.#dropped > 0) this.#sayDropped();
      this.#writeNext();
    });
  }

  #put(batch: Buffer, done: (isWritten: boolean) => void): void {
    write(this.#fd, batch, (error, written) => {
      if (error?.code === "EAGAIN") setTimeout(() => this.#put(batch, done), RETRY_MS);
      else if (error !== null) setTimeout(() => done(false), RETRY_MS);
      else if (written < batch.length) this.#put(batch.subarray(written), done);
      else done(true);
    });
  }

  #take(): Buffer {
    const batch = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    this.#waitingBytes = 0;
    return batch;
  }

  #sayDropped(): void {
    this.#waiting.push(
      `${JSON.stringify({ level: 40, msg: "log lines were dropped", count: this.#dropped })}\n`,
    );
    this.#dropped = 0;
  }
}
