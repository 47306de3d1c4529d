import type { NatsConnection } from "@nats-io/transport-node";
import type { RecordedEvent } from "#contracts";
import { type Clock, Deadline, RefusedError, refusal } from "#kernel";
import type { AskOwner } from "./gap-repair.ts";
import { readControl, readLog } from "./history.ts";
import { decodeOfLog, type HostLogName } from "./placed-event.ts";

const PAGE = 500;
/** FLEET goes on within so long of a restart of its hub or a leaf; its owner may be away at the same time. */
const PATIENCE_MS = 45_000;
const PAUSE_MS = 250;

export interface RangeGround {
  readonly nc: NatsConnection;
  readonly clock: Clock;
  readonly askOwner: AskOwner;
  readonly signal: AbortSignal;
}

/** A stretch of one log: what comes after `after`, up to `upTo`. Without a name it is CONTROL's. */
export interface LogRange {
  readonly name?: HostLogName;
  readonly after: number;
  readonly upTo: number;
}

/**
 * The good events of a stretch of which somebody knows that it exists, in order: from the hub, and what has not come there
 * yet from the host itself (F16). Throws a refusal `unreachable` when neither has it for long.
 */
export async function* logRange(ground: RangeGround, range: LogRange): AsyncGenerator<RecordedEvent> {
  const { clock, signal } = ground;
  const deadline = new Deadline(clock, PATIENCE_MS);
  for (let after = range.after; after < range.upTo && !signal.aborted; ) {
    const before = after;
    for await (const { sequence, event } of stretch(ground, { ...range, after })) {
      if (sequence <= after) continue;
      if (sequence > range.upTo) return;
      after = sequence;
      if (event !== undefined) yield event;
    }
    if (after >= range.upTo) return;
    if (deadline.passed()) throw missing(range, after);
    if (after === before) await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
  }
}

interface Found {
  readonly sequence: number;
  /** Absent when it cannot be read (I10). */
  readonly event?: RecordedEvent;
}

/** What the hub has of it, then what the owner has behind that. */
async function* stretch(ground: RangeGround, { name, after }: LogRange): AsyncGenerator<Found> {
  if (name === undefined) {
    for await (const decoded of readControl(ground.nc, { fromSequence: after + 1 })) {
      if (decoded.kind === "event") yield { sequence: decoded.event.sequence, event: decoded.event };
      else if (decoded.sequence !== undefined) yield { sequence: decoded.sequence };
    }
    return;
  }
  let last = after;
  for await (const { sequence, decoded } of readLog(ground.nc, name, after + 1)) {
    last = sequence;
    yield decoded.kind === "event" ? { sequence, event: decoded.event } : { sequence };
  }
  yield* fromOwner(ground, name, last);
}

async function* fromOwner(
  { askOwner }: RangeGround,
  name: HostLogName,
  after: number,
): AsyncGenerator<Found> {
  const question = { logId: name.logId, fromSequence: after + 1, limit: PAGE };
  // A host that is away, or writes another log by now, has nothing to say here.
  const { events } = await askOwner(name.hostId, question).catch(() => ({ events: [] }));
  for (const { subject, headers, body, sequence } of events) {
    const stored = { subject, header: (key: string) => headers[key], body: Buffer.from(body), sequence };
    const decoded = decodeOfLog(name, stored);
    yield decoded.kind === "event" ? { sequence, event: decoded.event } : { sequence };
  }
}

function missing({ name, upTo }: LogRange, after: number): RefusedError {
  const log = name === undefined ? "CONTROL" : `log ${name.logId} of host ${name.hostId}`;
  return new RefusedError(
    refusal("unreachable", `events ${after + 1} to ${upTo} of ${log} cannot be read now: try again later`),
  );
}
