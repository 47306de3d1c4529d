import type { RecordedEvent } from "#contracts";
import type { Stretch, Timeline, World } from "#timeline";
import type { CheckedPart } from "./check-scope.ts";
import { logFilter } from "./log-filter.ts";

/** What a part of history holds, in causal order. `before`: the world in which it begins; it is not changed. */
export async function* stretchEvents(
  timeline: Timeline,
  { until, entity }: CheckedPart,
  before: World,
): AsyncGenerator<readonly RecordedEvent[]> {
  const wish = entity === undefined ? {} : { [entity.kind]: entity.id };
  const isWanted = logFilter(wish, before.view);
  const stretch: Stretch = {
    after: before.position,
    ...(until === undefined ? {} : { until }),
    ...(entity?.kind === "machine" ? { machineId: entity.id } : {}),
    ...(entity?.kind === "volume" ? { volumeId: entity.id } : {}),
  };
  for await (const batch of timeline.history.ordered(stretch)) {
    const wanted = batch.filter(isWanted);
    if (wanted.length > 0) yield wanted;
  }
}
