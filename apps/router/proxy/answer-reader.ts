import { type AnswerHead, readAnswerHead } from "./answer-head.ts";
import type { AnswerListener } from "./answer-listener.ts";
import { ChunkedBody } from "./chunked-body.ts";
import { Garbled } from "./garbled.ts";

/** Reads a body. Returns what is beyond its end once that has come, else undefined. */
interface BodyReader {
  read(bytes: Buffer): Buffer | undefined;
}

/** As much as node's own parser takes. */
const MOST_HEAD_BYTES = 16_384;
const END_OF_HEAD = "\r\n\r\n";
const BEGINNING = "HTTP/1.";

/**
 * Reads one answer of a machine from the bytes of its connection. As strict as node's parser is with clients: what two
 * readers might read differently is no answer (F51). By hand because node's client takes more than twice the processor
 * time for a request (measured), which is most of what a router does.
 */
export class AnswerReader {
  readonly #isToHead: boolean;
  readonly #listener: AnswerListener;
  #begun: Buffer | undefined;
  #head: AnswerHead | undefined;
  #body: BodyReader | undefined;

  /** `isToHead`: it answers a HEAD. */
  constructor(isToHead: boolean, listener: AnswerListener) {
    this.#isToHead = isToHead;
    this.#listener = listener;
  }

  /** The head of the answer, once that has come. */
  get head(): AnswerHead | undefined {
    return this.#head;
  }

  /**
   * Takes what came. Returns what is beyond the end of the answer once that has come, else undefined. An answer that
   * changes the protocol is over with its head, and nobody is told of it here. Throws `Garbled`.
   */
  read(bytes: Buffer): Buffer | undefined {
    if (this.#body !== undefined) return this.#body.read(bytes);
    let rest: Buffer | undefined = bytes;
    do {
      rest = this.#readHead(rest);
      if (rest === undefined) return undefined;
    } while (this.#head === undefined);
    if (this.#head.status === 101) return rest;
    this.#listener.answered(this.#head, rest.length === 0 && this.#head.body !== 0);
    this.#body = bodyReader(this.#head, this.#listener);
    return this.#body.read(rest);
  }

  /** The connection ended. True when that ends the answer, too. */
  end(): boolean {
    if (this.#head?.body !== "until_close") return false;
    this.#listener.ended([]);
    return true;
  }

  /** Returns what is behind the next head, if all of that is there. */
  #readHead(bytes: Buffer): Buffer | undefined {
    const begun = this.#begun === undefined ? bytes : Buffer.concat([this.#begun, bytes]);
    const length = begun.indexOf(END_OF_HEAD);
    if (length < 0 || length > MOST_HEAD_BYTES) {
      assertBeginning(begun);
      this.#begun = begun;
      return undefined;
    }
    this.#begun = undefined;
    const head = readAnswerHead(begun.toString("latin1", 0, length), this.#isToHead);
    if (head.status >= 200 || head.status === 101) this.#head = head;
    else this.#listener.informed(head);
    return begun.subarray(length + END_OF_HEAD.length);
  }
}

/** Who does not speak HTTP does not end a head either: that is not waited for. */
function assertBeginning(begun: Buffer): void {
  if (begun.length > MOST_HEAD_BYTES) throw new Garbled("too long a head");
  const text = begun.toString("latin1");
  if (!text.startsWith(BEGINNING.slice(0, text.length))) throw new Garbled("status line");
  if (/(?<!\r)\n/.test(text)) throw new Garbled("line end");
}

function bodyReader({ body }: AnswerHead, listener: AnswerListener): BodyReader {
  if (body === "chunked") return new ChunkedBody(listener);
  if (body === "until_close") return new EndlessBody(listener);
  return new SizedBody(body, listener);
}

class SizedBody implements BodyReader {
  readonly #listener: AnswerListener;
  #left: number;

  constructor(length: number, listener: AnswerListener) {
    this.#left = length;
    this.#listener = listener;
  }

  read(bytes: Buffer): Buffer | undefined {
    const taken = bytes.subarray(0, this.#left);
    this.#left -= taken.length;
    if (taken.length > 0) this.#listener.body(taken);
    if (this.#left > 0) return undefined;
    this.#listener.ended([]);
    return bytes.subarray(taken.length);
  }
}

class EndlessBody implements BodyReader {
  readonly #listener: AnswerListener;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  read(bytes: Buffer): undefined {
    if (bytes.length > 0) this.#listener.body(bytes);
  }
}
