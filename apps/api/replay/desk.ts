import { gzipSync } from "node:zlib";
import { RefusedError, refusal } from "#kernel";
import type { Investigator } from "./investigator.ts";
import type { FromThread, Question, ToThread } from "./question.ts";

/** Smaller answers are not worth it. */
const GZIP_FROM_BYTES = 8 * 1024;
/** The least: on loopback time counts, and twice the bytes do not. */
const GZIP_LEVEL = 1;

interface Served {
  readonly working: AbortController;
  readonly mayGzip: boolean;
  /** Of an answer in parts. */
  readonly parts?: AsyncGenerator<string>;
}

/** Where questions come in and answers go out: takes each up at once, and lets go of it when nobody waits any more. */
export class Desk {
  readonly #investigator: Pick<Investigator, "answer" | "log">;
  readonly #send: (message: FromThread, transfer: readonly ArrayBuffer[]) => void;
  readonly #served = new Map<number, Served>();

  constructor(
    investigator: Pick<Investigator, "answer" | "log">,
    send: (message: FromThread, transfer: readonly ArrayBuffer[]) => void,
  ) {
    this.#investigator = investigator;
    this.#send = send;
  }

  /** Resolves when the answer, or its next part, is on its way. */
  async take(message: Extract<ToThread, { kind: "ask" | "more" | "cancel" }>): Promise<void> {
    const { id } = message;
    if (message.kind === "cancel") return this.#cancel(id);
    if (message.kind === "ask") this.#open(id, message.question, message.mayGzip);
    const served = this.#served.get(id);
    if (served === undefined) return;
    try {
      if (message.kind === "more") await this.#giveOn(id, served);
      else await this.#give(id, served, message.question);
    } catch (thrown) {
      this.#served.delete(id);
      if (!served.working.signal.aborted) this.#send(refused(id, thrown), []);
    }
  }

  #open(id: number, question: Question, mayGzip: boolean): void {
    const working = new AbortController();
    const parts = question.ask === "log" ? { parts: this.#investigator.log(question, working.signal) } : {};
    this.#served.set(id, { working, mayGzip, ...parts });
  }

  async #give(id: number, served: Served, question: Question): Promise<void> {
    if (question.ask === "log") return this.#giveOn(id, served);
    const answer = await this.#investigator.answer(question, served.working.signal);
    this.#answer(id, served, JSON.stringify(answer), true);
  }

  async #giveOn(id: number, served: Served): Promise<void> {
    const { parts } = served;
    if (parts === undefined) return;
    const part = await parts.next();
    if (part.done === true) return this.#answer(id, served, "", true);
    this.#answer(id, served, part.value, false);
  }

  #answer(id: number, served: Served, text: string, isLast: boolean): void {
    if (served.working.signal.aborted) return;
    if (isLast) this.#served.delete(id);
    const plain = new TextEncoder().encode(text);
    const isGzipped = served.mayGzip && isLast && plain.length >= GZIP_FROM_BYTES;
    const body = isGzipped ? ownBytes(gzipSync(plain, { level: GZIP_LEVEL })) : plain;
    this.#send({ kind: "answer", id, answer: { body, isGzipped, isLast } }, [body.buffer]);
  }

  #cancel(id: number): void {
    const served = this.#served.get(id);
    this.#served.delete(id);
    served?.working.abort(new RefusedError(refusal("cancelled", "nobody waits for this any more")));
    // What it holds open is let go of.
    void served?.parts?.return(undefined).catch(() => undefined);
  }
}

/** In a buffer that nothing else uses, so that it can be handed over. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function refused(id: number, thrown: unknown): FromThread {
  if (thrown instanceof RefusedError) return { kind: "refused", id, refusal: thrown.refusal };
  return {
    kind: "failed",
    id,
    error: thrown instanceof Error ? (thrown.stack ?? String(thrown)) : String(thrown),
  };
}
