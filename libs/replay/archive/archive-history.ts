import { createReadStream } from "node:fs";
import type { RecordedEvent } from "#contracts";
import type { Position } from "#kernel";
import { History, matcher, type OnUnreadable, type Stretch, type World } from "#timeline";
import { worldFrom } from "./base-parts.ts";
import { type Archive, type ArchiveSource, archivedEvents, checkArchive } from "./read-archive.ts";

/** A slice that somebody exported, as a history of its own: nothing else is asked, and nothing is written. */
export class ArchiveHistory extends History {
  readonly archive: Archive;
  readonly #source: ArchiveSource;

  private constructor(source: ArchiveSource, archive: Archive) {
    super();
    this.#source = source;
    this.archive = archive;
  }

  /** Checks all of a file before any of it is believed. Throws a refusal that names the line which is wrong. */
  static async open(path: string, onUnreadable: OnUnreadable): Promise<ArchiveHistory> {
    return ArchiveHistory.from({ name: path, open: () => createReadStream(path) }, onUnreadable);
  }

  /** The text of an archive that is in memory already. */
  static async ofText(text: string, onUnreadable: OnUnreadable = () => undefined): Promise<ArchiveHistory> {
    async function* open(): AsyncGenerator<Buffer> {
      yield Buffer.from(text);
    }
    return ArchiveHistory.from({ name: "archive", open }, onUnreadable);
  }

  static async from(source: ArchiveSource, onUnreadable: OnUnreadable): Promise<ArchiveHistory> {
    const archive = await checkArchive(source);
    for (const { place, reason } of archive.unreadable) onUnreadable(place, reason);
    return new ArchiveHistory(source, archive);
  }

  override async beginning(): Promise<World> {
    return worldFrom(this.archive.base);
  }

  override get isPart(): boolean {
    return this.archive.header.isPart === true;
  }

  override async end(): Promise<Position> {
    return this.archive.end;
  }

  override arrivals(stretch: Stretch = {}): AsyncGenerator<readonly RecordedEvent[]> {
    return this.ordered(stretch);
  }

  /** The order of the file, which is the causal one that it was written in. */
  override async *ordered(stretch: Stretch = {}): AsyncGenerator<readonly RecordedEvent[]> {
    const wanted = matcher(stretch);
    for await (const batch of archivedEvents(this.#source, this.archive)) {
      const kept = batch.filter(wanted);
      if (kept.length > 0) yield kept;
    }
  }

  override async event(eventId: string): Promise<RecordedEvent | undefined> {
    for await (const batch of this.ordered()) {
      const found = batch.find(({ header }) => header.id === eventId);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
