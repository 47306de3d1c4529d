import type { Readable, Writable } from "node:stream";
import type { WebSocket } from "ws";
import {
  decodeExecFrame,
  EXEC_CHUNK_BYTES,
  EXEC_WINDOW_BYTES,
  type ExecFrame,
  encodeExecFrame,
} from "#contracts";
import { RefusedError, refusal, Window } from "#kernel";

/** Where a program's streams come from and go to. */
export interface ExecStreams {
  readonly stdin?: Readable | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export interface ExecEnd {
  readonly exitCode: number;
  readonly exitSignal: number;
}

/** A program that runs in a machine, at the other end of a socket. */
export class RemoteExec {
  readonly #socket: WebSocket;
  readonly #window = new Window(EXEC_WINDOW_BYTES);

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  say(frame: ExecFrame): void {
    this.#socket.send(encodeExecFrame(frame));
  }

  /** Resolves when the program has ended and all of its output is written. Throws a refusal when the connection breaks. */
  async follow({ stdin, stdout, stderr }: ExecStreams): Promise<ExecEnd> {
    const end = new Promise<ExecEnd>((done, fail) => {
      let exit: ExecEnd | undefined;
      this.#socket.on("message", (data: Buffer) => {
        const frame = decodeExecFrame(data);
        if (frame?.kind === "stdout") this.#write(stdout, frame.data);
        if (frame?.kind === "stderr") this.#write(stderr, frame.data);
        if (frame?.kind === "taken") this.#window.give(frame.bytes);
        if (frame?.kind !== "exit") return;
        exit = { exitCode: frame.exitCode, exitSignal: frame.exitSignal };
        this.#socket.close(1000);
      });
      this.#socket.on("error", () => {}); // it closes, which is heard
      this.#socket.once("close", (_code, reason) => {
        if (exit !== undefined) return done(exit);
        const why = reason.length > 0 ? reason.toString() : "the connection broke; the command was killed";
        fail(new RefusedError(refusal("unreachable", why)));
      });
    });
    this.#socket.resume();
    if (stdin !== undefined) this.#feed(stdin).catch(() => {}); // nobody reads it any more
    const ended = await end;
    await Promise.all([stdout, stderr].map(written));
    return ended;
  }

  /** Ends the program. */
  abandon(): void {
    this.#socket.close(1000);
  }

  /** More comes only once this was taken. */
  #write(to: Writable, data: Uint8Array): void {
    to.write(data, () => this.say({ kind: "taken", bytes: data.length }));
  }

  async #feed(stdin: Readable): Promise<void> {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += EXEC_CHUNK_BYTES) {
        const data = chunk.subarray(at, at + EXEC_CHUNK_BYTES);
        await this.#window.take(data.length);
        this.say({ kind: "stdin", data });
      }
    }
    this.say({ kind: "stdin-end" });
  }
}

/** Resolves once everything that was written before has gone out. */
function written(to: Writable): Promise<void> {
  return new Promise((done) => to.write("", () => done()));
}
