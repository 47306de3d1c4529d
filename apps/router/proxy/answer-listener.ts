import type { AnswerHead } from "./answer-head.ts";

/** Told of an answer as it comes. What it throws, if `Garbled`, ends the reading. */
export interface AnswerListener {
  /** A word before the answer (1xx). */
  informed(head: AnswerHead): void;
  /** `isAlone`: its body has not begun to come. */
  answered(head: AnswerHead, isAlone: boolean): void;
  body(bytes: Buffer): void;
  /** All of it has come. `trailers`: names and values, in turn. */
  ended(trailers: readonly string[]): void;
}
