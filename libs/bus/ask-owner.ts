import { hostCalls, type RequestOf, subjects } from "#contracts";
import { type Ids, RefusedError } from "#kernel";
import type { BusClient } from "./bus-client.ts";

const BUDGET_MS = 2_000;

/** How a reader gets events that FLEET lacks: from the log's own host (F06). `actor` is who asks. Throws its refusal. */
export function askOwner(bus: BusClient, ids: Ids, actor: string) {
  return async (hostId: string, question: RequestOf<typeof hostCalls.events>) => {
    const id = ids.ulid();
    const meta = { commandId: id, correlationId: id, causationId: id, actor, deadlineMs: BUDGET_MS };
    const result = await bus.call(hostCalls.events, subjects.hostCommand(hostId, "events"), question, meta);
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    return result.answer;
  };
}
