import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ArchiveShows, RecordedEvent } from "#contracts";
import type { StateBefore } from "../archive/base-parts.ts";
import { type ArchiveSource, archivedEvents, checkArchive } from "../archive/read-archive.ts";
import { type Deciders, PRESENT_DECIDERS } from "../redecide/deciders.ts";
import { look } from "./shown.ts";

/** A slice that `exportSlice` made, in memory: what a test of it works with. */
export class Slice {
  readonly events: readonly RecordedEvent[];
  readonly base?: StateBefore;
  readonly shows: ArchiveShows;

  constructor(events: readonly RecordedEvent[], shows: ArchiveShows, base?: StateBefore) {
    this.events = events;
    this.shows = shows;
    if (base !== undefined) this.base = base;
  }

  /**
   * Lives through it again, with the code that is there now (or with other deciders), and tells in words what is not as it
   * should be. Empty: the mistake that it was exported for is not made any more.
   */
  problems(deciders: Partial<Deciders> = {}): readonly string[] {
    return look(this, this.shows, { ...PRESENT_DECIDERS, ...deciders }).problems;
  }
}

/** Opens `<name>.ndjson` of an exported slice. Throws a refusal that names the line which is wrong. */
export async function openSlice(file: URL | string): Promise<Slice> {
  const path = typeof file === "string" ? file : fileURLToPath(file);
  return sliceFrom({ name: path, open: () => createReadStream(path) });
}

export async function sliceFrom(source: ArchiveSource): Promise<Slice> {
  const archive = await checkArchive(source);
  const { shows } = archive.header;
  if (shows === undefined) {
    throw new Error(
      `${source.name} does not say what it shows: export it with --invariant, --event or --machine`,
    );
  }
  const events: RecordedEvent[] = [];
  for await (const batch of archivedEvents(source, archive)) events.push(...batch);
  return new Slice(events, shows, archive.base);
}
