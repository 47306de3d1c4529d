import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  PersistMode,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/transport-node";
import { subjects } from "#contracts";
import type { Ids } from "#kernel";
import { API_CODES, isApiError } from "./api-errors.ts";
import { CONTROL, FLEET, TRACES } from "./stream-names.ts";

/** Where CONTROL keeps its log id: it is born and gone with the stream, as a host's log id is with its stream's name. */
const LOG_ID_KEY = "drover_log";

const CONTROL_DUPLICATE_WINDOW_MS = 120_000;
/** A source never brings a message twice, so FLEET need not remember message ids: at 5,000/s that would be a lot. */
const FLEET_DUPLICATE_WINDOW_MS = 1_000;
/** Traces are kept for as long as somebody may wonder, and never take more of the disk than this (F44). */
const TRACES_MAX_AGE_MS = 7 * 86_400_000;
const TRACES_MAX_BYTES = 256 * 1024 * 1024;

export interface HubStreamOptions {
  /** Servers that hold each stream: 1 locally, 3 in a hub cluster. */
  readonly replicas?: number;
}

/**
 * Makes sure that the hub has CONTROL, FLEET and TRACES. Existing ones stay as they are. Safe to run from several processes at
 * once: one of them creates, all see the same log id.
 */
export async function ensureHubStreams(
  nc: NatsConnection,
  ids: Ids,
  options: HubStreamOptions = {},
): Promise<void> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const replicas = options.replicas ?? 1;
  await ensureStream(jsm, {
    ...kept(CONTROL, replicas, CONTROL_DUPLICATE_WINDOW_MS),
    subjects: ["evt.control.>"],
    metadata: { [LOG_ID_KEY]: ids.ulid() },
  });
  // FLEET has no subjects of its own; the server gives it its name as one until it has a source. Nobody may publish there.
  await ensureStream(jsm, { ...kept(FLEET, replicas, FLEET_DUPLICATE_WINDOW_MS), ...lazily(replicas) });
  await ensureStream(jsm, {
    name: TRACES,
    subjects: [subjects.trace("*", "*")],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(TRACES_MAX_AGE_MS),
    max_bytes: TRACES_MAX_BYTES,
    num_replicas: replicas,
    ...lazily(replicas),
  });
}

/** The id of CONTROL as a log, for positions. Throws where the stream does not exist, or is not ours. */
export async function controlLogId(nc: NatsConnection): Promise<string> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return logIdOf(await jsm.streams.info(CONTROL));
}

/** The log id of CONTROL from what the server says of the stream. */
export function logIdOf(info: StreamInfo): string {
  const logId = info.config.metadata?.[LOG_ID_KEY];
  if (logId === undefined)
    throw new Error(`stream ${info.config.name} was not created by Drover: it has no log id`);
  return logId;
}

async function ensureStream(jsm: JetStreamManager, config: StreamConfigOf): Promise<void> {
  try {
    await jsm.streams.info(config.name);
  } catch (error) {
    if (!isApiError(error, API_CODES.streamNotFound)) throw error;
    try {
      await jsm.streams.add(config);
    } catch (lost) {
      if (!isApiError(lost, API_CODES.streamExists)) throw lost;
    }
  }
}

type StreamConfigOf = Partial<StreamConfig> & { readonly name: string };

/**
 * Written when the server sees fit, not synced message by message as its other streams are: for copies that their sources bring
 * again from where the stream ends, and for what may be lost. A sync of FLEET makes those of CONTROL on the same disk
 * wait. Where several servers hold a stream, the server has no such mode.
 */
function lazily(replicas: number): Partial<StreamConfig> {
  return replicas === 1 ? { persist_mode: PersistMode.Async } : {};
}

/** A stream that forgets nothing and lets nobody make it forget. */
function kept(name: string, replicas: number, duplicateWindowMs: number): StreamConfigOf {
  return {
    name,
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    deny_delete: true,
    deny_purge: true,
    num_replicas: replicas,
    duplicate_window: nanos(duplicateWindowMs),
  };
}
