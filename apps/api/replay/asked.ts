import { type Refusal, RefusedError, refusal } from "#kernel";
import type { Answer, Question, ToThread } from "./question.ts";

export interface Wait {
  readonly mayGzip: boolean;
  /** Milliseconds for the next part of the answer, waiting for a turn included. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** How many questions at the most. */
export interface Most {
  readonly underWay: number;
  /** Answers of which nobody asks for the next part now. */
  readonly paused: number;
  readonly waiting: number;
}

interface Pending {
  readonly id: number;
  readonly question: Question;
  readonly wait: Wait;
  readonly done: (answer: Answer) => void;
  readonly fail: (reason: Refusal) => void;
}

/** Questions that wait for their turn or for an answer: a bounded number of each, each with its deadline. */
export class Asked {
  readonly #most: Most;
  readonly #send: (message: ToThread) => void;
  readonly #waiting: Pending[] = [];
  /** By id. One of several parts is under way until its last part was given, also while nobody asks for the next. */
  readonly #underWay = new Map<number, Pending | undefined>();
  #lastId = 0;
  /** Somebody is there to be asked. */
  #isOpen = false;

  constructor(most: Most, send: (message: ToThread) => void) {
    this.#most = most;
    this.#send = send;
  }

  async ask(question: Question, wait: Wait): Promise<Answer> {
    this.#lastId += 1;
    return this.#next(this.#lastId, question, wait, true);
  }

  async *parts(question: Question, wait: Wait): AsyncGenerator<Uint8Array> {
    this.#lastId += 1;
    const id = this.#lastId;
    try {
      for (let isFirst = true; ; isFirst = false) {
        const { body, isLast } = await this.#next(id, question, wait, isFirst);
        if (body.length > 0) yield body;
        if (isLast) return;
      }
    } finally {
      this.#cancel(id);
    }
  }

  /** From now on there is somebody to ask. */
  open(): void {
    this.#isOpen = true;
    this.#advance();
  }

  /** Who was asked is gone, and with it all that was under way. */
  close(reason: Refusal): void {
    this.#isOpen = false;
    const lost = [...this.#underWay.values()];
    this.#underWay.clear();
    for (const pending of lost) pending?.fail(reason);
  }

  refuseAll(reason: Refusal): void {
    this.close(reason);
    for (const pending of this.#waiting.splice(0)) pending.fail(reason);
  }

  /** What is under way, for people. */
  work(): string[] {
    return [...this.#underWay.values()].flatMap((pending) =>
      pending === undefined ? [] : [JSON.stringify(pending.question).slice(0, MOST_TOLD)],
    );
  }

  answered(id: number, answer: Answer): void {
    const pending = this.#underWay.get(id);
    if (pending === undefined) return;
    if (answer.isLast) this.#underWay.delete(id);
    else this.#underWay.set(id, undefined);
    pending.done(answer);
    this.#advance();
  }

  refused(id: number, reason: Refusal): void {
    const pending = this.#underWay.get(id);
    this.#underWay.delete(id);
    pending?.fail(reason);
    this.#advance();
  }

  #next(id: number, question: Question, wait: Wait, isFirst: boolean): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        wait.signal.removeEventListener("abort", onAbort);
      };
      const pending: Pending = {
        ...{ id, question, wait },
        done: (answer) => {
          settle();
          resolve(answer);
        },
        fail: (reason) => {
          settle();
          reject(new RefusedError(reason));
        },
      };
      const giveUp = (reason: Refusal) => {
        this.#cancel(id);
        pending.fail(reason);
      };
      const timer = setTimeout(() => giveUp(late(wait.deadlineMs)), wait.deadlineMs);
      const onAbort = () => giveUp(GONE);
      wait.signal.addEventListener("abort", onAbort);
      if (wait.signal.aborted) return giveUp(GONE);
      if (isFirst) this.#enter(pending);
      else this.#goOn(pending);
    });
  }

  #enter(pending: Pending): void {
    if (this.#waiting.length < this.#most.waiting) this.#waiting.push(pending);
    else pending.fail(TOO_MANY);
    this.#advance();
  }

  #goOn(pending: Pending): void {
    if (this.#underWay.has(pending.id)) {
      this.#underWay.set(pending.id, pending);
      this.#send({ kind: "more", id: pending.id });
    } else pending.fail(LOST);
  }

  #advance(): void {
    while (this.#isOpen && this.#hasRoom()) {
      const pending = this.#waiting.shift();
      if (pending === undefined) return;
      this.#underWay.set(pending.id, pending);
      const { id, question, wait } = pending;
      this.#send({ kind: "ask", id, question, mayGzip: wait.mayGzip });
    }
  }

  /** What is between two parts takes no time of the thread, but some of its memory. */
  #hasRoom(): boolean {
    const { underWay, paused } = this.#most;
    const active = [...this.#underWay.values()].filter((pending) => pending !== undefined).length;
    return active < underWay && this.#underWay.size - active <= paused;
  }

  #cancel(id: number): void {
    const place = this.#waiting.findIndex((pending) => pending.id === id);
    if (place >= 0) this.#waiting.splice(place, 1);
    if (!this.#underWay.delete(id) || !this.#isOpen) return;
    this.#send({ kind: "cancel", id });
    this.#advance();
  }
}

/** Characters of one question; an expression or a position may be long. */
const MOST_TOLD = 300;
const GONE = refusal("cancelled", "the client went away");
const LOST = refusal("unreachable", "the debugger's thread was lost on the way: go on from the last event");
const TOO_MANY = refusal("unreachable", "the debugger has too many questions to answer: ask again", {
  retryAfterMs: 2_000,
});

function late(deadlineMs: number): Refusal {
  const message = `history was not read within ${deadlineMs / 1_000} s: ask for less of it, or use \`drover replay\``;
  return refusal("deadline_exceeded", message);
}
