import type { DecodedEvent, RecordedEvent } from "#contracts";
import { hostsWithHistory, readControl, readHostEvents, readHosts } from "#event-log";
import { mergeByClock } from "#fleet";
import type { Position } from "#kernel";
import { batches } from "./batches.ts";
import { History, type OnUnreadable, type Stretch } from "./history.ts";
import { matcher } from "./listed-history.ts";
import { narrowHistories, type Subject, subjectOf } from "./narrow.ts";

type Connection = Parameters<typeof readControl>[0];

/** Events in memory while logs are merged, all together. */
const MERGE_BUFFER = 4_000;

/** What a hub holds: CONTROL, and FLEET with the copies of all hosts' logs. */
export class HubHistory extends History {
  readonly #nc: Connection;
  readonly #onUnreadable: OnUnreadable;

  constructor(nc: Connection, onUnreadable: OnUnreadable) {
    super();
    this.#nc = nc;
    this.#onUnreadable = onUnreadable;
  }

  override async end(): Promise<Position> {
    const end: Record<string, number> = {};
    for await (const batch of this.arrivals()) for (const { log, sequence } of batch) end[log] = sequence;
    return end;
  }

  override async *arrivals(stretch: Stretch = {}): AsyncGenerator<readonly RecordedEvent[]> {
    const wanted = matcher(stretch);
    const subject = subjectOf(stretch);
    if (subject !== undefined) {
      for (const history of await this.#narrow(subject)) yield* batches(history, wanted);
      return;
    }
    if (stretch.hostId === undefined) yield* batches(this.#good(readControl(this.#nc)), wanted);
    const { hostId } = stretch;
    yield* batches(this.#good(readHosts(this.#nc, hostId === undefined ? {} : { hostId })), wanted);
  }

  override async *ordered(stretch: Stretch = {}): AsyncGenerator<readonly RecordedEvent[]> {
    const subject = subjectOf(stretch);
    if (subject !== undefined) {
      yield* batches(mergeByClock(await this.#narrow(subject)), matcher(stretch));
      return;
    }
    const hostIds = stretch.hostId === undefined ? await hostsWithHistory(this.#nc) : [stretch.hostId];
    const page = Math.max(10, Math.floor(MERGE_BUFFER / (hostIds.length + 1)));
    const control = stretch.hostId === undefined ? [this.#good(readControl(this.#nc, { page }))] : [];
    const hosts = hostIds.map((hostId) => this.#good(readHosts(this.#nc, { hostId, page })));
    yield* batches(mergeByClock([...control, ...hosts]), matcher(stretch));
  }

  override async event(eventId: string): Promise<RecordedEvent | undefined> {
    for await (const batch of this.arrivals()) {
      const found = batch.find(({ header }) => header.id === eventId);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** What hosts say of themselves around a time. Here all that they ever said: there is nothing to find it by. */
  protected hostEvents(_fromMs: number, _toMs: number): AsyncIterable<RecordedEvent> {
    return this.#good(readHostEvents(this.#nc));
  }

  #narrow(subject: Subject): Promise<AsyncIterable<RecordedEvent>[]> {
    const around = (fromMs: number, toMs: number) => this.hostEvents(fromMs, toMs);
    return narrowHistories(this.#nc, subject, (history) => this.#good(history), around);
  }

  async *#good(history: AsyncIterable<DecodedEvent>): AsyncGenerator<RecordedEvent> {
    for await (const decoded of history) {
      if (decoded.kind === "event") yield decoded.event;
      else {
        const place = `${decoded.log ?? decoded.subject}:${decoded.sequence ?? "?"}`;
        this.#onUnreadable(place, `${decoded.reason}: ${decoded.detail}`);
      }
    }
  }
}
