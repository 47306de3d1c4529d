import type { IncomingMessage, ServerResponse } from "node:http";
import type { Route } from "#routing";
import type { Place } from "./hold.ts";
import { type Refused, refuse } from "./refused.ts";
import type { RequestBody } from "./request-body.ts";
import type { RequestHead } from "./request-head.ts";
import type { TraceRecorder } from "./request-trace.ts";
import type { UpgradingClient } from "./upgrading-client.ts";

/** Methods that may be sent again, because twice comes to the same as once (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** What came in. */
export interface VisitParts {
  /** ULID; the answer's `Fly-Request-Id`. */
  readonly id: string;
  readonly appName: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  /** The request's headers as its machine gets them. */
  readonly headers: readonly string[];
  readonly body: RequestBody;
  readonly upgrading: UpgradingClient | undefined;
  /** When the head had come, monotonic milliseconds. */
  readonly arrivedMs: number;
}

/**
 * Is told when the client goes away before its answer is complete. An object: with a closure for each request, a fifth of
 * all that requests allocate outlived the young generation (measured with `--trace-gc`).
 */
export interface Attendant {
  left(): void;
}

/** One request's way through the router, from its head to the end of its answer. */
export class Visit {
  readonly parts: VisitParts;
  /** Machines that failed this request, by the routes of then: one whose route has changed may be tried again. */
  readonly failedAt = new Map<string, Route>();
  /** Why the last try failed. */
  failure: Refused | undefined;
  tries = 0;
  /** How often a machine took it and closed the connection before an answer. */
  breaks = 0;
  /** Where it waits. */
  place: Place | undefined;
  /** Why it waits, or waited last. */
  heldFor: string | undefined;
  heldSinceMs = 0;
  /** Its history, if that is told. */
  trace: TraceRecorder | undefined;
  /** Who is at work for it. */
  attendant: Attendant | undefined;
  #hasLeft = false;

  constructor(parts: VisitParts) {
    this.parts = parts;
    parts.response.once("close", () => {
      if (parts.response.writableFinished) return;
      this.#hasLeft = true;
      this.attendant?.left();
    });
  }

  /** The client is gone: whatever is done for it is in vain. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** Whether it may be sent once more after it was sent. */
  get mayRepeat(): boolean {
    return isIdempotent(this.parts.request.method!) && this.parts.body.isRepeatable;
  }

  brokeAt(route: Route): void {
    this.failedAt.set(route.machineId, route);
    this.breaks += 1;
  }

  /** Answers with a typed "no". A body that is still coming is let in and thrown away. */
  refuse(refused: Refused): void {
    const { id, response, head, body } = this.parts;
    // Who was never told to go on sends a body or does not: what comes next on the connection could be either.
    if (head.expectsContinue && !body.isDone) response.shouldKeepAlive = false;
    refuse(response, refused, ["Fly-Request-Id", id]);
    body.discard();
  }

  /** Status of the answer that the client got; undefined when it went away before one. */
  get status(): number | undefined {
    const { response, upgrading } = this.parts;
    if (upgrading?.isDetached) return 101;
    return response.headersSent ? response.statusCode : undefined;
  }
}
