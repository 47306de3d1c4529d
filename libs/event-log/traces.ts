import type { NatsConnection } from "@nats-io/transport-node";
import { type RequestTrace, requestTraceSchema, subjects } from "#contracts";
import { readStream } from "./read-stream.ts";
import { TRACES } from "./stream-names.ts";

/**
 * What routers told of a request; several where more than one told of it. Empty when it passed without anything to tell,
 * when it is not over yet, or when its trace had to make room for later ones. `requestId`: a subject token.
 */
export async function readTraces(nc: NatsConnection, requestId: string): Promise<RequestTrace[]> {
  const traces: RequestTrace[] = [];
  for await (const message of readStream(nc, TRACES, { filter: subjects.trace("*", requestId) })) {
    const parsed = requestTraceSchema.safeParse(safeJson(message.string()));
    if (parsed.success) traces.push(parsed.data);
  }
  return traces;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
