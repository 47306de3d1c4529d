import { createHash } from "node:crypto";
import {
  ARCHIVE_FORMAT,
  type ArchiveEnd,
  type ArchiveHeader,
  type ArchiveShows,
  type RecordedEvent,
} from "#contracts";
import { FLEET_FOLD_VERSION } from "#fleet";
import { partsOf, type StateBefore } from "./base-parts.ts";

/** What goes into an archive beside its events. */
export interface ArchiveSettings {
  /** What it is a slice of, for people. */
  readonly of: string;
  /** The state before its first event, where that is not the logs' beginnings. */
  readonly base?: StateBefore;
  /** How many different values were replaced; undefined: nobody looked. */
  readonly redacted?: number;
  /** What it was made small for. */
  readonly shows?: ArchiveShows;
  /** Whether events were left out on purpose. */
  readonly isPart?: boolean;
}

/** An archive in pieces of text, line ends included. `events`: in causal order, each log's in its own. */
export async function* writeArchive(
  { of, base, redacted, shows, isPart = false }: ArchiveSettings,
  events: AsyncIterable<readonly RecordedEvent[]> | Iterable<readonly RecordedEvent[]>,
): AsyncGenerator<string> {
  const parts = base === undefined ? [] : partsOf(base);
  const header: ArchiveHeader = {
    ...{ drover: "archive", format: ARCHIVE_FORMAT, of: of.slice(0, 1_000) },
    ...{ after: { ...base?.position }, afterMs: base?.nowMs ?? 0 },
    ...{ parts: parts.length, foldVersion: FLEET_FOLD_VERSION, redacted: redacted ?? null },
    ...(shows === undefined ? {} : { shows }),
    ...(isPart ? { isPart } : {}),
  };
  const hash = createHash("sha256");
  const summed = (text: string) => {
    hash.update(text);
    return text;
  };
  let count = 0;
  yield summed(lineOf(header));
  for (const part of parts) yield summed(lineOf(part));
  for await (const batch of events) {
    count += batch.length;
    if (batch.length > 0) yield summed(batch.map(eventLine).join(""));
  }
  const end: ArchiveEnd = { end: { events: count, sha256: hash.digest("hex") } };
  yield lineOf(end);
}

/** The whole of a small archive as one text. */
export async function archiveText(
  settings: ArchiveSettings,
  events: readonly RecordedEvent[],
): Promise<string> {
  let text = "";
  for await (const piece of writeArchive(settings, [events])) text += piece;
  return text;
}

/** As it stands: members in one order, so that the same slice is the same file. */
function eventLine({ type, log, sequence, subject, header, data, decision }: RecordedEvent): string {
  const { id, version, clock, causationId, correlationId, actor } = header;
  const ordered = { id, version, clock, causationId, correlationId, actor };
  return lineOf({ type, log, sequence, subject, header: ordered, data, decision });
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
