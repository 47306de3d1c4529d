import { connect, type Socket } from "node:net";
import type { AnswerHead } from "./answer-head.ts";
import type { AnswerListener } from "./answer-listener.ts";
import { AnswerReader } from "./answer-reader.ts";
import { Garbled } from "./garbled.ts";

/** Silence after which the kernel asks whether the other side is still there. */
const PROBE_AFTER_MS = 15_000;

/** Where a machine's program listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A request as it is written down. */
export interface Question {
  readonly method: string;
  readonly target: string;
  /** Names and values, in turn. */
  readonly headers: readonly string[];
  readonly body: "none" | "sized" | "chunked";
}

/** Who asks. One of `ended`, `upgraded`, `garbled` and `broken` is the last word. */
export interface Asker extends AnswerListener {
  /** The connection is the asker's own from now on. `rest`: what came after the head. */
  upgraded(head: AnswerHead, socket: Socket, rest: Buffer): void;
  /** What came is no HTTP. */
  garbled(reason: string): void;
  /** The connection ended before the answer did. */
  broken(): void;
}

/** Whose connection it is. */
export interface ConnectionOwner {
  connected(): void;
  /** There was no connection: an error's code. */
  unconnected(reason: string): void;
  /** It has its answer, and may be asked again. */
  freed(): void;
  closed(): void;
}

/** One connection to a machine's program: HTTP/1.1, one request at a time. */
export class MachineConnection {
  /** Whether it has rested: the other side may have closed it meanwhile. */
  hasRested = false;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  #asker: Asker | undefined;
  #reader: AnswerReader | undefined;
  #isChunking = false;
  #isSent = true;
  #drained: (() => void) | undefined;

  /** `connectMs`: how long the other side may take to accept it. */
  constructor(address: Address, connectMs: number, owner: ConnectionOwner) {
    this.#owner = owner;
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_AFTER_MS };
    const socket = connect({ ...address, ...options });
    this.#socket = socket;
    this.#dial(connectMs);
    socket.on("data", this.#onData);
    socket.on("drain", () => this.#drain());
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#close());
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** Sends the head of a request; its body, if there is one, follows by `write` and `finish`. */
  ask({ method, target, headers, body }: Question, asker: Asker): void {
    this.#asker = asker;
    this.#reader = new AnswerReader(method === "HEAD", asker);
    this.#isSent = body === "none";
    this.#isChunking = body === "chunked";
    this.#socket.write(`${method} ${target} HTTP/1.1\r\n${fieldLines(headers)}\r\n`, "latin1");
  }

  /** Sends bytes of the body. False when the machine has not taken them yet. */
  write(bytes: Buffer): boolean {
    if (!this.#isChunking) return this.#socket.write(bytes);
    this.#socket.cork();
    this.#socket.write(`${bytes.length.toString(16)}\r\n`, "latin1");
    this.#socket.write(bytes);
    const isTaken = this.#socket.write("\r\n", "latin1");
    this.#socket.uncork();
    return isTaken;
  }

  /** Calls `drained` once the machine has taken all, for which it has `stallMs`. */
  whenDrained(stallMs: number, drained: () => void): void {
    this.#drained = drained;
    this.#socket.setTimeout(stallMs);
  }

  /** The body is complete. `trailers` come with a chunked one only. */
  finish(trailers: readonly string[]): void {
    this.#isSent = true;
    if (this.#isChunking) this.#socket.write(`0\r\n${fieldLines(trailers)}\r\n`, "latin1");
  }

  /** Reads no more for now. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends it at once. Whoever asked hears nothing more. */
  destroy(): void {
    this.#asker = undefined;
    this.#reader = undefined;
    this.#drained = undefined;
    this.#socket.destroy();
  }

  #dial(connectMs: number): void {
    const socket = this.#socket;
    let reason = "closed";
    const failed = () => this.#owner.unconnected(reason);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message;
    });
    socket.once("close", failed);
    socket.once("connect", () => {
      socket.off("close", failed).setTimeout(0);
      this.#owner.connected();
    });
    socket.setTimeout(connectMs);
    socket.on("timeout", () => {
      if (socket.connecting) reason = "ETIMEDOUT";
      socket.destroy();
    });
  }

  /** What nobody asked for would be taken for the answer to the next request (F51). */
  readonly #onData = (bytes: Buffer): void => {
    const reader = this.#reader;
    if (reader === undefined) {
      this.destroy();
      return;
    }
    try {
      const rest = reader.read(bytes);
      if (rest !== undefined) this.#answered(reader.head!, rest);
    } catch (error) {
      if (!(error instanceof Garbled)) throw error;
      const asker = this.#asker;
      this.destroy();
      asker?.garbled(error.reason);
    }
  };

  #answered(head: AnswerHead, rest: Buffer): void {
    const asker = this.#asker;
    this.#asker = undefined;
    this.#reader = undefined;
    if (head.status === 101) {
      this.#socket.off("data", this.#onData);
      asker?.upgraded(head, this.#socket, rest);
    } else if (head.keepsConnection && this.#isSent && rest.length === 0) {
      this.#socket.resume();
      this.#owner.freed();
    } else this.destroy();
  }

  #drain(): void {
    const drained = this.#drained;
    if (drained === undefined) return;
    this.#drained = undefined;
    this.#socket.setTimeout(0);
    drained();
  }

  #end(): void {
    if (this.#reader?.end() === true) this.destroy();
  }

  #close(): void {
    const asker = this.#asker;
    this.destroy();
    this.#owner.closed();
    asker?.broken();
  }
}

function fieldLines(fields: readonly string[]): string {
  let lines = "";
  for (let i = 0; i < fields.length; i += 2) lines += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return lines;
}
