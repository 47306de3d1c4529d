import type { RecordedEvent } from "#contracts";

/** Events handed on at one go: asking for each by itself would cost more than folding it. */
const BATCH = 1_000;

/** The wanted ones of a history in batches, in their order. */
export async function* batches(
  events: AsyncIterable<RecordedEvent>,
  wanted: (event: RecordedEvent) => boolean,
): AsyncGenerator<readonly RecordedEvent[]> {
  let batch: RecordedEvent[] = [];
  for await (const event of events) {
    if (!wanted(event)) continue;
    batch.push(event);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
