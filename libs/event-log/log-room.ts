import { statfsSync } from "node:fs";
import type { Clock } from "#kernel";

/** How long one look at the file system is believed. */
const BELIEVED_MS = 10;

/**
 * Keeps the log's server from ever meeting a full disk: after one failed write nats-server 2.15.1 acknowledges nothing
 * more on that stream, however much room there is, until it is started again. So appends stop while there is a reserve
 * left, and go on by themselves when there is more (F34).
 */
export class LogRoom {
  readonly #path: string;
  readonly #reserveBytes: number;
  readonly #clock: Clock;
  #freeBytes = Number.POSITIVE_INFINITY;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  /** `path`: anything on the file system that holds the log. */
  constructor(path: string, reserveBytes: number, clock: Clock) {
    this.#path = path;
    this.#reserveBytes = reserveBytes;
    this.#clock = clock;
  }

  /** What is missing, in words; undefined while there is room. */
  shortage(): string | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lookedAtMs >= BELIEVED_MS) {
      this.#lookedAtMs = nowMs;
      this.#freeBytes = freeBytesAt(this.#path);
    }
    if (this.#freeBytes >= this.#reserveBytes) return undefined;
    const mib = (bytes: number) => Math.floor(bytes / 1024 / 1024);
    return `${mib(this.#freeBytes)} MiB free, ${mib(this.#reserveBytes)} are kept in reserve`;
  }
}

function freeBytesAt(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
