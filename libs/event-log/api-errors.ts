import { JetStreamApiError } from "@nats-io/jetstream";

/** Codes of JetStream's API that change what we do. The client names only some of them. */
export const API_CODES = {
  streamNotFound: 10059,
  /** Somebody created it first, with another configuration. */
  streamExists: 10058,
  wrongLastSequence: 10071,
} as const;

/** Whether an error is the server's own answer with this code: anything else leaves it open what happened. */
export function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}
