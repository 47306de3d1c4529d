import type { JetStreamManager } from "@nats-io/jetstream";
import { HEADERS } from "#contracts";

/** The end of a log: its last sequence and the id of the event there, "" at 0. */
export interface LogEnd {
  readonly sequence: number;
  readonly eventId: string;
}

/** What a stream holds of a run of appends. */
export interface ReadBack {
  /** How many of them stand in the stream, each at its own place. */
  readonly landed: number;
  /** Why nothing more of ours can follow, if so: another writer, or a stream that is not what it was. */
  readonly broken?: string;
}

/**
 * Finds out which of the `appends`, sent in order after `end`, stand in the stream. Throws when the stream cannot be
 * read now. As each append names the id of the one before it, the last one that is found vouches for all before it.
 */
export async function readBack(
  jsm: JetStreamManager,
  stream: string,
  end: LogEnd,
  appends: readonly LogEnd[],
): Promise<ReadBack> {
  const { last_seq: last } = (await jsm.streams.info(stream)).state;
  if (last < end.sequence) {
    return { landed: 0, broken: `the log ends at ${last}, yet ${end.sequence} was acknowledged` };
  }
  for (let landed = Math.min(last - end.sequence, appends.length); landed >= 0; landed -= 1) {
    const ours = landed === 0 ? end : appends[landed - 1]!;
    if (!(await holds(jsm, stream, ours))) continue;
    const beyond = last - ours.sequence;
    return beyond === 0 ? { landed } : { landed, broken: `another writer has written ${ours.sequence + 1}` };
  }
  return { landed: 0, broken: `another event stands at ${end.sequence}` };
}

/** Whether the stream holds that very event at that sequence; it holds nothing at sequence 0. */
export async function holds(jsm: JetStreamManager, stream: string, event: LogEnd): Promise<boolean> {
  if (event.sequence === 0) return true;
  const there = await jsm.streams.getMessage(stream, { seq: event.sequence });
  return there !== null && there.header.get(HEADERS.id) === event.eventId;
}
