import type { RecordedEvent } from "#contracts";
import { type Moment, mergeByClock, upTo } from "#fleet";
import type { Position } from "#kernel";
import { batches } from "./batches.ts";
import { History, type Stretch } from "./history.ts";

/** Events in memory: a slice that was imported, a simulated fleet, an edited past. */
export class ListedHistory extends History {
  readonly #logs = new Map<string, RecordedEvent[]>();

  /** `events`: of each log in its order; logs may be mixed in any way. */
  constructor(events: Iterable<RecordedEvent>) {
    super();
    for (const event of events) {
      const log = this.#logs.get(event.log);
      if (log === undefined) this.#logs.set(event.log, [event]);
      else log.push(event);
    }
  }

  override async end(): Promise<Position> {
    return Object.fromEntries([...this.#logs].map(([log, events]) => [log, events.at(-1)!.sequence]));
  }

  override async *arrivals(stretch: Stretch = {}): AsyncGenerator<readonly RecordedEvent[]> {
    const wanted = matcher(stretch);
    for (const events of this.#logs.values()) yield events.filter(wanted);
  }

  override async *ordered(stretch: Stretch = {}): AsyncGenerator<readonly RecordedEvent[]> {
    yield* batches(mergeByClock([...this.#logs.values()].map(each)), matcher(stretch));
  }

  override async event(eventId: string): Promise<RecordedEvent | undefined> {
    return [...this.#logs.values()].flat().find(({ header }) => header.id === eventId);
  }
}

const NOW: Moment = { kind: "now" };

/** Tells whether an event is of a stretch. To be asked of every event of a log, in order. */
export function matcher(stretch: Stretch): (event: RecordedEvent) => boolean {
  const { after = {}, until = NOW, hostId, machineId, volumeId } = stretch;
  const isBeforeEnd = upTo(until);
  return (event) => {
    if (!isBeforeEnd(event) || event.sequence <= (after[event.log] ?? 0)) return false;
    if (hostId !== undefined && event.subject.split(".", 3)[2] !== hostId) return false;
    if (hostId !== undefined && !event.subject.startsWith("evt.host.")) return false;
    if (machineId !== undefined && !("machineId" in event.data && event.data.machineId === machineId))
      return false;
    return volumeId === undefined || ("volumeId" in event.data && event.data.volumeId === volumeId);
  };
}

async function* each(events: readonly RecordedEvent[]): AsyncGenerator<RecordedEvent> {
  yield* events;
}
