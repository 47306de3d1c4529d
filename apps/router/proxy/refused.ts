import { type ServerResponse, STATUS_CODES } from "node:http";

/** Why a request was not served (I7): status, and what clients may go by, for each stable code. */
const STATUS = {
  bad_request: 400,
  unknown_host: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  expectation_failed: 417,
  head_too_large: 431,
  /** The machine's answer is not HTTP. */
  bad_answer: 502,
  not_implemented: 501,
  http_version: 505,
  /** The app has no machine that serves this. */
  no_machine: 503,
  /** None runs, and none may be started by a request. */
  machine_stopped: 503,
  machine_cordoned: 503,
  /** A host refused to start a machine. */
  wake_failed: 503,
  wake_timeout: 503,
  /** Too many wait already. */
  queue_full: 503,
  /** Every machine had all it may have until the deadline. */
  machines_busy: 503,
  host_unreachable: 503,
  /** The machine runs, and nothing in it takes the connection. */
  connect_failed: 503,
  /** The connection broke before an answer, and the request may have been acted upon. */
  machine_died: 503,
  router_stopping: 503,
} as const;

export type RefusedCode = keyof typeof STATUS;

/** A typed "no" to a client. */
export interface Refused {
  readonly code: RefusedCode;
  /** One line: what is the matter, and what to do. */
  readonly message: string;
  /** Seconds after which another try is worth while. */
  readonly retryAfterS?: number;
}

/** What the client is told, as bytes and as headers. */
export interface RefusedAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: string[];
  readonly body: string;
}

const RETRY_AFTER_S = 1;

/** `{error, status}`, as the Machines API says no. Every 503 says when to come again. */
export function refusedAnswer({ code, message, retryAfterS }: Refused): RefusedAnswer {
  const status = STATUS[code];
  const body = `${JSON.stringify({ error: message, status: code })}\n`;
  const headers = ["Content-Type", "application/json", "Content-Length", String(Buffer.byteLength(body))];
  if (status === 503) headers.push("Retry-After", String(retryAfterS ?? RETRY_AFTER_S));
  return { status, reason: STATUS_CODES[status]!, headers, body };
}

/** Answers with a refusal, and returns its status. Nothing of another answer may have been sent. */
export function refuse(response: ServerResponse, refused: Refused, headers: readonly string[]): number {
  const answer = refusedAnswer(refused);
  response.writeHead(answer.status, [...answer.headers, ...headers]);
  response.end(answer.body);
  return answer.status;
}
