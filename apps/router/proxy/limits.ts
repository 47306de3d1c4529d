import { z } from "zod";

const ms = z.number().int().min(1);

/** What a router takes upon itself for its clients, and how long it waits for them. */
export const limitsSchema = z.strictObject({
  /** How long a request may wait for a machine, all tries together. */
  holdMs: ms.max(300_000).default(30_000),
  /** Requests of one app that may wait at once. Each keeps its head and what one socket buffers, not its body. */
  heldPerApp: z.number().int().min(1).default(2_000),
  /** Requests of all apps that may wait at once. */
  held: z.number().int().min(1).default(10_000),
  /** As much of a request's body is kept as may be sent again. */
  keptBodyBytes: z.number().int().min(0).default(65_536),
  /** Connections of clients. */
  connections: z.number().int().min(1).default(20_000),
  /** Bytes of a request's head. */
  headBytes: z.number().int().min(1_024).default(16_384),
  /** How long a client may take to send a request's head. */
  headMs: ms.default(10_000),
  /** How long a client may send nothing of a body, or take nothing of an answer. */
  stallMs: ms.default(60_000),
  /** How long a client's connection may rest between two requests. */
  restMs: ms.default(75_000),
  /** How long a machine's address may take to accept a connection. */
  connectMs: ms.default(3_000),
  /** How long requests are held for a machine that runs and accepts no connection, before they are refused at once. */
  listenMs: ms.default(10_000),
  /** How long requests that are under way may go on once the router was told to stop. */
  drainMs: ms.default(3_000),
});
export type ProxyLimits = z.infer<typeof limitsSchema>;
