import type { Msg } from "@nats-io/transport-node";

/**
 * What became of one append, as far as the server's answer tells. `conflict` and `unanswered` leave it open: the stream
 * itself must be asked.
 */
export type AppendOutcome =
  | { readonly kind: "stored"; readonly sequence: number }
  | { readonly kind: "conflict" | "unanswered"; readonly detail: string }
  | { readonly kind: "full" | "rejected"; readonly detail: string };

/** Codes of the server (2.15.1) for an append that did not find what it expected before it. */
const CONFLICTS: ReadonlySet<number> = new Set([10060, 10070, 10071, 10164]);
/** Insufficient resources, insufficient storage, and a store that failed: its limits, or its disk. */
const FULL: ReadonlySet<number> = new Set([10023, 10047, 10077]);
/** JetStream is not there (yet, or any more). */
const ABSENT: ReadonlySet<number> = new Set([10008, 10039, 10076]);

interface PublishAnswer {
  readonly seq?: number;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/** Reads the server's answer to an append. */
export function readAppendAck(message: Msg): AppendOutcome {
  if (message.headers?.code === 503) return { kind: "unanswered", detail: "no stream takes appends" };
  let answer: PublishAnswer;
  try {
    answer = message.json<PublishAnswer>();
  } catch {
    return { kind: "unanswered", detail: "the answer is not JSON" };
  }
  if (answer.error === undefined) {
    return answer.seq === undefined
      ? { kind: "unanswered", detail: "the answer names no sequence" }
      : { kind: "stored", sequence: answer.seq };
  }
  const code = answer.error.err_code ?? 0;
  const detail = `${answer.error.description ?? "refused"} (${code})`;
  if (CONFLICTS.has(code)) return { kind: "conflict", detail };
  if (ABSENT.has(code)) return { kind: "unanswered", detail };
  return { kind: FULL.has(code) ? "full" : "rejected", detail };
}
