import type { Readable } from "node:stream";
import type { FrameLink } from "#bus";
import {
  decodeExecFrame,
  EXEC_CHUNK_BYTES,
  EXEC_WINDOW_BYTES,
  type ExecFrame,
  encodeExecFrame,
} from "#contracts";
import { Window } from "#kernel";
import type { ExecProcess } from "#runtime";

/** A running program and the one who asked for it: what is said between the two, in frames. */
export class ExecSession {
  readonly #process: ExecProcess;
  readonly #link: Pick<FrameLink, "send" | "flush" | "close">;
  readonly #window = new Window(EXEC_WINDOW_BYTES);
  /** Input that the program has not taken yet. */
  #untakenBytes = 0;

  constructor(process: ExecProcess, link: Pick<FrameLink, "send" | "flush" | "close">) {
    this.#process = process;
    this.#link = link;
  }

  /** Resolves when the program has ended and all of its output, and how it ended, was sent; or when it was killed. */
  async run(): Promise<void> {
    const { stdout, stderr, exit } = this.#process;
    await Promise.all([this.#pass("stdout", stdout), this.#pass("stderr", stderr)]);
    this.#say({ kind: "exit", ...(await exit) });
    await this.#link.flush();
    this.#link.close();
  }

  /** A frame from the one who asked. What is none of his to say says nothing. */
  hear(bytes: Uint8Array): void {
    const frame = decodeExecFrame(bytes);
    switch (frame?.kind) {
      case "stdin":
        this.#feed(frame.data);
        break;
      case "stdin-end":
        this.#process.stdin.end();
        break;
      case "resize":
        this.#process.resize(frame);
        break;
      case "signal":
        this.#process.signal(frame.name);
        break;
      case "taken":
        this.#window.give(frame.bytes);
        break;
    }
  }

  /** The one who asked is gone, and nobody else wants to know: the program does not outlive that. */
  abandon(): void {
    this.#process.kill();
    // Read on: a program with unread output does not end.
    this.#process.stdout.destroy();
    this.#process.stderr.destroy();
    this.#window.give(Number.POSITIVE_INFINITY);
  }

  #feed(data: Uint8Array): void {
    const { stdin } = this.#process;
    this.#untakenBytes += data.length;
    // More than was agreed on: it would be kept here.
    if (this.#untakenBytes > 2 * EXEC_WINDOW_BYTES) {
      this.#link.close();
      this.abandon();
      return;
    }
    const taken = () => {
      this.#untakenBytes -= data.length;
      this.#say({ kind: "taken", bytes: data.length });
    };
    // A program that reads no more takes everything, and nothing of it matters.
    if (stdin.writable) stdin.write(data, taken);
    else taken();
  }

  async #pass(kind: "stdout" | "stderr", output: Readable): Promise<void> {
    try {
      for await (const chunk of output as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; at += EXEC_CHUNK_BYTES) {
          const data = chunk.subarray(at, at + EXEC_CHUNK_BYTES);
          await this.#window.take(data.length);
          this.#say({ kind, data });
        }
      }
    } catch (error) {
      if (!output.destroyed) throw error;
    }
  }

  #say(frame: ExecFrame): void {
    this.#link.send(encodeExecFrame(frame));
  }
}
