import type { RecordedEvent } from "#contracts";
import type { Moment } from "#fleet";
import { type FleetView, listMachines, listVolumes } from "#fleet";
import type { Timeline } from "#timeline";
import { breath } from "./breath.ts";
import type { LogFilter } from "./question.ts";

/** A part of an answer is at most about so large: more than one line, so that it need not be asked for so often. */
const PART_CHARACTERS = 256 * 1024;

/** Events of a stretch as NDJSON, in causal order, part by part. The last part may be empty. */
export async function* logLines(
  timeline: Timeline,
  since: Moment | undefined,
  until: Moment,
  filter: LogFilter,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const before = since === undefined ? await timeline.beginning() : await timeline.at(since);
  const isOf = wanted(filter, before.view);
  let part = "";
  for await (const batch of timeline.after(before, { until })) {
    await breath(signal);
    for (const event of batch) {
      if (!isOf(event)) continue;
      part += `${JSON.stringify(event)}\n`;
      if (part.length < PART_CHARACTERS) continue;
      yield part;
      part = "";
    }
  }
  yield part;
}

/** Tells of each event, asked in order, whether it is wanted. `before`: whose those machines are that were made earlier. */
function wanted(filter: LogFilter, before: FleetView): (event: RecordedEvent) => boolean {
  const { machine, volume, host, app, type, actor, correlation } = filter;
  const isOfApp = app === undefined ? () => true : ofApp(app, before);
  return (event) => {
    const { data, header, subject } = event;
    // Asked of every event: it remembers whose machines are made.
    if (!isOfApp(event)) return false;
    if (type !== undefined && event.type !== type) return false;
    if (machine !== undefined && !("machineId" in data && data.machineId === machine)) return false;
    if (volume !== undefined && !("volumeId" in data && data.volumeId === volume)) return false;
    if (host !== undefined && !subject.startsWith(`evt.host.${host}.`)) return false;
    if (correlation !== undefined && header.correlationId !== correlation) return false;
    return actor === undefined || header.actor === actor || header.actor.startsWith(`${actor}:`);
  };
}

function ofApp(appName: string, before: FleetView): (event: RecordedEvent) => boolean {
  const own = new Set<string>();
  for (const { machineId } of listMachines(before, appName)) own.add(machineId);
  for (const { volumeId } of listVolumes(before, appName)) own.add(volumeId);
  return ({ data }) => {
    const about = "machineId" in data ? data.machineId : "volumeId" in data ? data.volumeId : undefined;
    if (!("appName" in data)) return about !== undefined && own.has(about);
    if (data.appName === appName && about !== undefined) own.add(about);
    return data.appName === appName;
  };
}
