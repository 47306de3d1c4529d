import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { subjects } from "#contracts";
import type { Ids } from "#kernel";
import { FencedError } from "./log-errors.ts";
import { hostStream, parseHostStream } from "./stream-names.ts";

/** A log that a host wrote before its present one. Its stream is kept, and takes nothing more. */
export interface RetiredLog {
  readonly logId: string;
  /** Why it ended: "behind", "diverged", "lost"… */
  readonly reason: string;
  /** Undefined where the stream itself is gone. */
  readonly stream?: string;
}

/** What stood on the leaf when a log was opened. */
export type FoundLog =
  /** It has events. */
  | { readonly kind: "continues" }
  /** It is empty and the host's first. */
  | { readonly kind: "fresh" }
  /** It is empty and takes the place of another: its first event is to hold that one's state. */
  | { readonly kind: "successor"; readonly previous: RetiredLog };

/** Kept in a stream's metadata, so that no crash between two steps of a change of logs loses them. */
const PREVIOUS_KEY = "drover_previous";
const REASON_KEY = "drover_reason";
const RETIRED_KEY = "drover_retired";

const DUPLICATE_WINDOW_MS = 120_000;
const LOST = "lost";

/** The host's present stream; made where there is none. `knownLogId`: the log that a checkpoint tells of, if any. */
export async function openHostStream(
  jsm: JetStreamManager,
  hostId: string,
  ids: Ids,
  knownLogId: string | undefined,
): Promise<StreamInfo> {
  const streams = await streamsOf(jsm, hostId);
  const [present] = presentOf(streams, hostId);
  if (present !== undefined) return present;
  const names = new Set(streams.map((info) => info.config.name));
  const isLost = knownLogId !== undefined && !names.has(hostStream(hostId, knownLogId));
  const previous = isLost ? { logId: knownLogId, reason: LOST } : lastRetired(streams, hostId);
  const created = await createHostStream(jsm, hostId, ids.ulid(), previous);
  // Of two agents that create at once the server may let both (2.15.1). At least the later one sees the other's.
  if (presentOf(await streamsOf(jsm, hostId), hostId).length > 1) {
    await jsm.streams.delete(created.config.name);
    throw new FencedError("another one opened it at the same moment");
  }
  return created;
}

/** What an open stream tells of itself. */
export function foundIn(info: StreamInfo, hostId: string): FoundLog {
  if (info.state.last_seq > 0) return { kind: "continues" };
  const logId = info.config.metadata?.[PREVIOUS_KEY];
  if (!logId) return { kind: "fresh" };
  const reason = info.config.metadata?.[REASON_KEY] ?? LOST;
  const stream = reason === LOST ? {} : { stream: hostStream(hostId, logId) };
  return { kind: "successor", previous: { logId, reason, ...stream } };
}

/** Moves a stream out of the way of its successor. What it holds stays. */
export async function retireHostStream(
  jsm: JetStreamManager,
  hostId: string,
  logId: string,
  reason: string,
): Promise<void> {
  const name = hostStream(hostId, logId);
  const { metadata } = (await jsm.streams.info(name)).config;
  await jsm.streams.update(name, {
    subjects: [`retired.${logId}.>`],
    metadata: { ...metadata, [RETIRED_KEY]: reason },
  });
}

function presentOf(streams: readonly StreamInfo[], hostId: string): StreamInfo[] {
  return streams.filter((info) => info.config.subjects?.includes(subjects.hostLog(hostId)));
}

async function streamsOf(jsm: JetStreamManager, hostId: string): Promise<StreamInfo[]> {
  const streams: StreamInfo[] = [];
  for await (const info of jsm.streams.list()) {
    if (parseHostStream(info.config.name)?.hostId === hostId) streams.push(info);
  }
  return streams;
}

/** The retired log that no other one follows yet: a change of logs was interrupted there. */
function lastRetired(streams: readonly StreamInfo[], hostId: string): RetiredLog | undefined {
  const followed = new Set(streams.map((info) => info.config.metadata?.[PREVIOUS_KEY]));
  const logIdOf = (info: StreamInfo) => parseHostStream(info.config.name)?.logId ?? "";
  const last = streams
    .filter((info) => !followed.has(logIdOf(info)))
    .sort((a, b) => (a.created < b.created ? -1 : 1))
    .at(-1);
  if (last === undefined) return undefined;
  const logId = logIdOf(last);
  const reason = last.config.metadata?.[RETIRED_KEY] ?? LOST;
  return { logId, reason, stream: hostStream(hostId, logId) };
}

async function createHostStream(
  jsm: JetStreamManager,
  hostId: string,
  logId: string,
  previous: RetiredLog | undefined,
): Promise<StreamInfo> {
  const metadata: Record<string, string> = {};
  if (previous !== undefined) {
    metadata[PREVIOUS_KEY] = previous.logId;
    metadata[REASON_KEY] = previous.reason;
  }
  return jsm.streams.add({
    name: hostStream(hostId, logId),
    subjects: [subjects.hostLog(hostId)],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    // Refuse the new rather than forget the old.
    discard: DiscardPolicy.New,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    // No single event can be taken out. Purging stays possible to the agent alone: retention will need it, and a
    // stream that once denied it denies it for ever.
    deny_delete: true,
    metadata,
  });
}
