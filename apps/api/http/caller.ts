import type { FastifyReply, FastifyRequest } from "fastify";
import { type CallMeta, SUBJECT_TOKEN } from "#contracts";
import { formatPosition, type Ids, type Position, parsePosition } from "#kernel";
import type { Listed } from "../fleet/fleet-lists.ts";

/** Who sent a request, as the guard found out, and what the request says of itself. */
export interface Caller {
  /** "token:<id>". */
  readonly actor: string;
  readonly tokenId: string;
}

/** Time that one API request may take before it is answered with a typed 408. */
export const REQUEST_BUDGET_MS = 30_000;

const CALLER = Symbol("caller");

/** Remembers the caller on the request. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  Object.assign(request, { [CALLER]: caller });
}

/** The caller that the guard found. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = (request as FastifyRequest & { [CALLER]?: Caller })[CALLER];
  if (caller === undefined) throw new Error("this route has no guard");
  return caller;
}

/** What travels with every call that a request sets in motion. */
export function metaOf(request: FastifyRequest, ids: Ids, commandId = ids.ulid()): CallMeta {
  const correlationId = SUBJECT_TOKEN.test(request.id) ? request.id : ids.ulid();
  const { actor } = callerOf(request);
  return { commandId, correlationId, causationId: correlationId, actor, deadlineMs: REQUEST_BUDGET_MS };
}

/** The position that the reader wants to see included: header `drover-position`, as earlier answers gave it. */
export function wantedPosition(request: FastifyRequest): Position | undefined {
  const header = request.headers["drover-position"];
  return typeof header === "string" ? parsePosition(header) : undefined;
}

/** Tells the caller where its command stands: a read that sends this back sees at least that. */
export function setPosition(response: FastifyReply, position: Position): void {
  void response.header("drover-position", formatPosition(position));
}

/** Says in headers where a list came from, and why. One from memory may lack what was over long ago. */
export function setSource(response: FastifyReply, fromMemory: Listed<unknown>["fromMemory"]): void {
  void response.header("drover-source", fromMemory === undefined ? "database" : "memory");
  if (fromMemory === undefined) return;
  void response.header("drover-source-reason", fromMemory.why.replace(/[^\x20-\x7e]/g, "?"));
  if (fromMemory.isStale) void response.header("drover-stale", "true");
}
