import { z } from "zod";

/** What happened to a request, in the order in which it happens; `retried` may come again and again. */
export const TRACE_STAGES = [
  /** No machine could take it at once. */
  "held",
  /** A host was asked for a start. */
  "asked",
  /** The host has written the start down. */
  "accepted",
  /** The machine's process runs. */
  "started",
  /** The machine's program took the connection. */
  "connected",
  "first_byte",
  /** It goes to another machine, or to the same one again. */
  "retried",
  "refused",
  "ended",
] as const;

/**
 * What became of one request that had to wait for a machine, was retried or refused. Routers append it to a bounded
 * stream on `subjects.trace`; it is told by `replay why --request`. Nothing of the request's content is in it.
 */
export const requestTraceSchema = z.object({
  /** ULID, the answer's `Fly-Request-Id`; the correlation id of all events that the request caused. */
  requestId: z.string(),
  routerId: z.string(),
  appName: z.string(),
  method: z.string(),
  /** The request's path without its query. */
  path: z.string().max(2_048),
  /** Epoch milliseconds when the request's head had arrived. */
  atMs: z.number(),
  stages: z
    .array(
      z.object({
        stage: z.enum(TRACE_STAGES),
        /** Milliseconds after `atMs`, by the monotonic clock. */
        afterMs: z.number(),
        machineId: z.string().optional(),
        hostId: z.string().optional(),
        /** Why, for `held`, `retried` and `refused`: a stable code. */
        reason: z.string().optional(),
      }),
    )
    .max(64),
  /** Status of the answer; absent when the client went away before one. */
  status: z.number().int().optional(),
});
export type RequestTrace = z.infer<typeof requestTraceSchema>;
