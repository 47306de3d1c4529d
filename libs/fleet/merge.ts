import type { RecordedEvent } from "#contracts";

/**
 * Several histories as one, by hybrid clock: an effect never comes before its cause. Each history keeps its own order
 * even where its clock does not grow. One event of each is in memory.
 */
export async function* mergeByClock(
  histories: readonly AsyncIterable<RecordedEvent>[],
): AsyncGenerator<RecordedEvent> {
  const heads: { event: RecordedEvent; clock: string; rest: AsyncIterator<RecordedEvent> }[] = [];
  const advance = async (rest: AsyncIterator<RecordedEvent>, notBefore: string) => {
    const { value, done } = await rest.next();
    if (done) return;
    const { clock } = value.header;
    heads.push({ event: value, clock: clock > notBefore ? clock : notBefore, rest });
  };
  try {
    await Promise.all(histories.map((history) => advance(history[Symbol.asyncIterator](), "")));
    while (heads.length > 0) {
      const index = earliest(heads);
      const [head] = heads.splice(index, 1);
      yield head!.event;
      await advance(head!.rest, head!.clock);
    }
  } finally {
    await Promise.all(heads.map(({ rest }) => rest.return?.()));
  }
}

/** Ties go by the event's id, so that the order is the same whoever merges. */
function earliest(heads: readonly { readonly event: RecordedEvent; readonly clock: string }[]): number {
  let best = 0;
  for (const [index, { clock, event }] of heads.entries()) {
    const least = heads[best]!;
    const isEarlier = clock === least.clock ? event.header.id < least.event.header.id : clock < least.clock;
    if (isEarlier) best = index;
  }
  return best;
}
