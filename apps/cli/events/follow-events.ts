import type { RecordedEvent } from "#contracts";
import { type Clock, formatPosition, type Position, parsePosition, RefusedError } from "#kernel";
import type { ApiClient } from "../api-client.ts";

/** A line of the API's stream. */
type FeedLine =
  | { readonly kind: "event"; readonly event: RecordedEvent }
  | { readonly kind: "position"; readonly position: string }
  | { readonly kind: "end"; readonly error: string };

export interface FollowGround {
  readonly api: Pick<ApiClient, "stream">;
  readonly clock: Clock;
  /** Told in one line when the stream breaks off. */
  readonly notice: (line: string) => void;
}

/** Nobody tells when the API is back. */
const PAUSE_MS = 500;
/** The API says something every five seconds. */
const SILENCE_MS = 30_000;
/** What waiting does not change. */
const FOR_GOOD: readonly string[] = ["invalid", "unauthorized", "forbidden", "not_found"];

/**
 * Every wanted event from now on, or after a position, each once and none left out, until `signal` fires: a stream that breaks off goes on where
 * it was. Throws what the first attempt fails with, and what no other will mend.
 */
export async function* followEvents(
  { api, clock, notice }: FollowGround,
  wish: Readonly<Record<string, string>>,
  signal: AbortSignal,
  position?: Position,
): AsyncGenerator<RecordedEvent> {
  let isFirst = true;
  let seen: Record<string, number> | undefined = position && { ...position };
  while (!signal.aborted) {
    const after: Record<string, string> = seen === undefined ? {} : { after: formatPosition(seen) };
    const path = `/drover/v1/events?${new URLSearchParams({ ...wish, ...after })}`;
    const attempt = new AbortController();
    const lines = api.stream<FeedLine>(path, AbortSignal.any([signal, attempt.signal]));
    try {
      for await (const line of heard(lines)) {
        if (line.kind === "end") {
          notice(line.error);
          break;
        }
        isFirst = false;
        if (line.kind === "position") seen = { ...parsePosition(line.position) };
        if (line.kind !== "event") continue;
        yield line.event;
        seen = { ...seen, [line.event.log]: line.event.sequence };
      }
    } catch (error) {
      if (isFirst || isForGood(error)) throw error;
      notice(`${(error as Error).message}; going on from here when it answers`);
    } finally {
      attempt.abort("over");
    }
    await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
  }
}

/** Ends when nothing comes any more: a connection can be dead without anybody saying so. */
async function* heard<T>(lines: AsyncGenerator<T>): AsyncGenerator<T> {
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const silent = new Promise<undefined>((done) => {
      timer = setTimeout(() => done(undefined), SILENCE_MS);
    });
    const next = await Promise.race([lines.next(), silent]).finally(() => clearTimeout(timer));
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}

function isForGood(error: unknown): boolean {
  return error instanceof RefusedError && FOR_GOOD.includes(error.refusal.code);
}
