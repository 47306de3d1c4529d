import { statfsSync } from "node:fs";
import { type Refusal, refusal } from "#kernel";

/** Keeps room for the log: what is taken in must be followed by what becomes of it (F34). */
export class AdmissionRoom {
  readonly #dataDir: string;
  readonly #reserveMib: number;

  constructor(dataDir: string, reserveMib: number) {
    this.#dataDir = dataDir;
    this.#reserveMib = reserveMib;
  }

  /** Why nothing new is taken in at present, if so. Asked at once: the way to another thread and back takes longer. */
  refuseIfFull(): Refusal | undefined {
    const { bavail, bsize } = statfsSync(this.#dataDir);
    const freeMib = Math.floor((bavail * bsize) / 1024 / 1024);
    if (freeMib >= this.#reserveMib) return undefined;
    return refusal(
      "disk_full",
      `${freeMib} MiB are free under the host's data directory, ${this.#reserveMib} are kept for its log: make room`,
      { details: { freeMib, reserveMib: this.#reserveMib } },
    );
  }
}
