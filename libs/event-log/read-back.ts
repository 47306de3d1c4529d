import type { JetStreamManager } from "@nats-io/jetstream";
import { HEADERS } from "#contracts";

/** The end of a log: its last sequence and the id of the event there, "" at 0. */
export interface LogEnd {
  readonly sequence: number;
  readonly eventId: string;
}

/** What a stream holds of a run of appends. */
export interface ReadBack {
  /** All of ours up to this sequence stand in the stream, each at its own place. */
  readonly landedUpTo: number;
  /** Why nothing more of ours can follow, if so: another writer, or a stream that is not what it was. */
  readonly broken?: string;
}

/**
 * Finds out which of the `appends`, sent in order after `end`, stand in the stream, which takes `subject`. Throws when
 * the stream cannot be read now. As each append names the id of the one before it, the last one that is found vouches for
 * all before it.
 */
export async function readBack(
  jsm: JetStreamManager,
  stream: string,
  subject: string,
  end: LogEnd,
  appends: readonly LogEnd[],
): Promise<ReadBack> {
  const broken = (why: string) => ({ landedUpTo: end.sequence, broken: why });
  const { config, state } = await jsm.streams.info(stream);
  if (!config.subjects?.includes(subject)) return broken("the log was retired");
  if (state.last_seq < end.sequence) {
    return broken(`the log ends at ${state.last_seq}, yet ${end.sequence} was acknowledged`);
  }
  const reached = [end, ...appends].filter(({ sequence }) => sequence <= state.last_seq);
  for (const ours of reached.reverse()) {
    if (!(await holds(jsm, stream, ours))) continue;
    const landedUpTo = ours.sequence;
    return state.last_seq === landedUpTo
      ? { landedUpTo }
      : { landedUpTo, broken: `another writer has written ${landedUpTo + 1}` };
  }
  return broken(`another event stands at ${end.sequence}`);
}

/** Whether the stream holds that very event at that sequence; it holds nothing at sequence 0. */
export async function holds(jsm: JetStreamManager, stream: string, event: LogEnd): Promise<boolean> {
  if (event.sequence === 0) return true;
  const there = await jsm.streams.getMessage(stream, { seq: event.sequence });
  return there !== null && there.header.get(HEADERS.id) === event.eventId;
}
