import type { Refusal } from "./refusal.ts";

/** What a question came to: an answer, or a typed "no". Both are values; only a bug or a broken world throws. */
export type Result<T> =
  | { readonly kind: "answer"; readonly answer: T }
  | { readonly kind: "refused"; readonly refusal: Refusal };
