import type { IncomingMessage } from "node:http";
import { passedTrailers } from "./header-names.ts";
import type { MachineConnection } from "./machine-connection.ts";

/** How long a client may go on sending a body that nobody wants, before its connection is closed. */
const LINGER_MS = 2_000;

export interface BodyLimits {
  readonly keptBodyBytes: number;
  readonly stallMs: number;
}

/**
 * The body of a client's request. It stays with the client until a machine is connected, flows as fast as the machine
 * takes it, and as much of it is kept as may be sent once more.
 */
export class RequestBody {
  readonly #request: IncomingMessage;
  readonly #limits: BodyLimits;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #isWhole = true;
  #isDone: boolean;
  #isTouched = false;

  /** `isNone`: none follows. `mayRepeat`: the request may be sent more than once. */
  constructor(
    request: IncomingMessage,
    { isNone, mayRepeat }: { readonly isNone: boolean; readonly mayRepeat: boolean },
    limits: BodyLimits,
  ) {
    this.#request = request;
    this.#limits = mayRepeat ? limits : { ...limits, keptBodyBytes: 0 };
    this.#isDone = isNone;
  }

  /** Whether all of it has come from the client. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether it can be sent from its beginning: nothing of it was, or all that was is kept. */
  get isRepeatable(): boolean {
    return this.#isWhole;
  }

  /** Sends it to a machine, as fast as that takes it. Returns what stops that; the rest stays with the client. */
  pumpTo(machine: MachineConnection): () => void {
    for (const chunk of this.#kept) machine.write(chunk);
    if (this.#isDone) {
      this.#finish(machine);
      return () => undefined;
    }
    const request = this.#request;
    const onData = (chunk: Buffer) => {
      this.#keep(chunk);
      if (machine.write(chunk)) return;
      this.#await(false);
      // A client that is not read is not heard to leave either: hence the limit.
      machine.whenDrained(this.#limits.stallMs, () => this.#await(true));
    };
    const onEnd = () => {
      this.#ended();
      this.#finish(machine);
    };
    request.on("data", onData);
    request.on("end", onEnd);
    this.#await(true);
    return () => {
      request.off("data", onData);
      request.off("end", onEnd);
      if (!this.#isDone) this.#await(false);
    };
  }

  /** Nobody wants the rest: lets a client that is still sending come to its end, so that it reads the answer. */
  discard(): void {
    if (this.#isDone) return;
    const { socket } = this.#request;
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
    this.#request.on("end", () => {
      clearTimeout(timer);
      this.#ended();
    });
    this.#request.resume();
  }

  /** The socket's timer runs while it is the client's turn: a slow machine is not its fault. */
  #await(isWanted: boolean): void {
    const { stallMs } = this.#limits;
    this.#isTouched = true;
    if (isWanted) this.#request.resume();
    else this.#request.pause();
    this.#request.socket.setTimeout(isWanted ? stallMs : 0);
  }

  #ended(): void {
    this.#isDone = true;
    if (this.#isTouched) this.#request.socket.setTimeout(0);
  }

  #keep(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    if (this.#isWhole && this.#keptBytes <= this.#limits.keptBodyBytes) this.#kept.push(chunk);
    else {
      this.#isWhole = false;
      this.#kept = [];
    }
  }

  #finish(machine: MachineConnection): void {
    machine.finish(passedTrailers(this.#request.rawTrailers)?.flat() ?? []);
  }
}
