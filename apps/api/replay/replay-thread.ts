import type { Worker } from "node:worker_threads";
import { type Refusal, refusal } from "#kernel";
import { Asked, type Wait } from "./asked.ts";
import type { Answer, FromThread, Question, ToThread } from "./question.ts";

/**
 * Several at once share the thread: a long one shall not make quick ones wait for its end. Beyond these the API says at
 * once that it has too much to do (503).
 */
const MOST = { underWay: 4, paused: 8, waiting: 32 };
const PULSE_MS = 3_000;
/** Pulses in a row without an answer: the thread is stuck (F02). Folding lets messages in many times a second. */
const MOST_MISSED = 6;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
/** Events come in bursts: it is told of them once. */
const TOLD_AFTER_MS = 500;
/** How long it may take to let go of its connection. */
const END_MS = 2_000;

export interface ReplayThreadSettings {
  /** Starts a thread. */
  readonly start: () => Worker;
  readonly notice: (line: string) => void;
  /** How often it has to show that it is alive. 3 s unless told. */
  readonly pulseMs?: number;
}

/**
 * Asks the thread in which history is folded: its work never makes the API's own requests wait. It starts with the first
 * question, or when told. One that dies or is stuck is replaced, after a pause that grows; what it was working on is refused
 * (it may be what killed it), and what waits is asked of the next one.
 */
export class ReplayThread {
  readonly #settings: ReplayThreadSettings;
  readonly #asked: Asked;
  #worker: Worker | undefined;
  #pulse: NodeJS.Timeout | undefined;
  #missed = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #restart: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(settings: ReplayThreadSettings) {
    this.#settings = settings;
    this.#asked = new Asked(MOST, (message) => this.#worker?.postMessage(message));
  }

  /** Nothing happens when it runs already, or is about to. */
  start(): void {
    if (this.#isStopped || this.#worker !== undefined || this.#restart !== undefined) return;
    this.#missed = 0;
    const worker = this.#settings.start();
    this.#worker = worker;
    let why = "it ended";
    worker.on("message", (message: FromThread) => this.#hear(message));
    worker.once("error", (error) => {
      why = error.message;
    });
    worker.once("exit", () => this.#onExit(worker, why));
    this.#pulse = setInterval(() => this.#checkPulse(worker), this.#settings.pulseMs ?? PULSE_MS).unref();
  }

  /** One answer as a whole. Rejects with a refusal. */
  async ask(question: Question, wait: Wait): Promise<Answer> {
    this.start();
    return this.#asked.ask(question, wait);
  }

  /** Parts of an answer, each made when the one before was taken. Rejects with a refusal, at first or in between. */
  async *parts(question: Question, wait: Wait): AsyncGenerator<Uint8Array> {
    this.start();
    yield* this.#asked.parts(question, wait);
  }

  /** Something was appended somewhere: what follows history goes on. */
  happened(): void {
    if (this.#telling !== undefined || this.#worker === undefined) return;
    this.#telling = setTimeout(() => {
      this.#telling = undefined;
      this.#worker?.postMessage({ kind: "happened" } satisfies ToThread);
    }, TOLD_AFTER_MS).unref();
  }

  /** The thread, for tests that kill it. Undefined while there is none. */
  get worker(): Worker | undefined {
    return this.#worker;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#restart);
    clearTimeout(this.#telling);
    this.#asked.refuseAll(refusal("unreachable", "the API is stopping: ask again"));
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise<void>((done) => worker.once("exit", () => done()));
    worker.postMessage({ kind: "stop" } satisfies ToThread);
    const late = setTimeout(() => void worker.terminate(), END_MS);
    await gone;
    clearTimeout(late);
  }

  #hear(message: FromThread): void {
    switch (message.kind) {
      case "ready":
        this.#asked.open();
        return;
      case "pong":
        this.#missed = 0;
        return;
      case "notice":
        this.#settings.notice(message.line);
        return;
      case "answer":
        // It has proved to work: the next time it is replaced at once again.
        this.#pauseMs = FIRST_PAUSE_MS;
        this.#asked.answered(message.id, message.answer);
        return;
      case "refused":
        this.#asked.refused(message.id, message.refusal);
        return;
      case "failed":
        this.#settings.notice(`a question failed: ${message.error}`);
        this.#asked.refused(message.id, FAILED);
    }
  }

  /** Counted in pulses, not in time: a process that was stopped or slept has missed none. */
  #checkPulse(worker: Worker): void {
    if (this.#missed >= MOST_MISSED) {
      const work = this.#asked.work().join("; ") || "no question";
      this.#settings.notice(`the thread does not answer, and is replaced; it worked on ${work}`);
      void worker.terminate();
      return;
    }
    this.#missed += 1;
    worker.postMessage({ kind: "ping" } satisfies ToThread);
  }

  #onExit(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    clearInterval(this.#pulse);
    this.#asked.close(lost(this.#pauseMs));
    if (this.#isStopped) return;
    this.#settings.notice(`the thread is gone (${why}): the next one starts in ${this.#pauseMs} ms`);
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      this.start();
    }, this.#pauseMs).unref();
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }
}

const FAILED: Refusal = refusal(
  "effect_failed",
  "an error inside the debugger: the API's log names it; try a narrower question",
);

function lost(retryAfterMs: number): Refusal {
  return refusal("unreachable", "the debugger's thread was lost while it worked on this: ask again", {
    retryAfterMs,
  });
}
