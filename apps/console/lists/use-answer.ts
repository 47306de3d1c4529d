import { useEffect, useState } from "react";
import { ApiTrouble } from "../api/trouble.ts";

/** An answer of the API, or why there is none. The one before stays until the next is there. */
export interface Answer<T> {
  readonly value: T | undefined;
  readonly problem: string | undefined;
  readonly loading: boolean;
}

/** Moments pass quickly while somebody looks for one: only the last is asked for. */
const SETTLE_MS = 180;

/**
 * Asks for something whenever `key` is otherwise; for nothing when it is undefined. `subject`: what it is about; the
 * answer about another one is not kept.
 */
export function useAnswer<T>(
  key: string | undefined,
  subject: string | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { readonly subject: string | undefined }>({
    ...{ value: undefined, problem: undefined, loading: false, subject: undefined },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says all that `ask` depends on
  useEffect(() => {
    if (key === undefined) return;
    const abort = new AbortController();
    setAnswer((before) => ({
      ...{ value: before.subject === subject ? before.value : undefined, problem: undefined },
      ...{ loading: true, subject },
    }));
    const timer = setTimeout(() => {
      ask(abort.signal).then(
        (value) => setAnswer({ value, problem: undefined, loading: false, subject }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          if (!(error instanceof ApiTrouble)) throw error;
          setAnswer((before) => ({ ...before, problem: error.message, loading: false }));
        },
      );
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, subject]);
  return answer.subject === subject
    ? answer
    : { value: undefined, problem: undefined, loading: key !== undefined };
}
