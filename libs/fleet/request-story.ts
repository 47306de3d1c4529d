import type { DecodedEvent, RecordedEvent, RequestTrace } from "#contracts";
import { readMachine, readTraces } from "#event-log";
import { wallMsOf } from "#kernel";
import { mergeByClock } from "./merge.ts";

type Connection = Parameters<typeof readTraces>[0];

/** What became of one request: as its router tells it, and what it had hosts do. */
export interface RequestStory {
  readonly trace: RequestTrace;
  /** In causal order. Those that another request had caused which waited for the same machine have its id. */
  readonly events: readonly RecordedEvent[];
}

/** Told of what cannot be read; the rest goes on (I10). */
export type OnBad = (detail: string) => void;

/** How much the clocks of routers and hosts may differ. */
const CLOCK_SLACK_MS = 2_000;

/** Undefined when no router told of the request: see `readTraces`. */
export async function requestStory(
  nc: Connection,
  requestId: string,
  onBad: OnBad,
): Promise<RequestStory | undefined> {
  const [trace] = await readTraces(nc, requestId);
  if (trace === undefined) return undefined;
  const machines = new Map(
    trace.stages.flatMap(({ machineId, hostId }) =>
      machineId === undefined || hostId === undefined ? [] : [[machineId, hostId] as const],
    ),
  );
  const histories = [...machines].map(([machineId, hostId]) =>
    good(readMachine(nc, hostId, machineId), onBad),
  );
  const events: RecordedEvent[] = [];
  for await (const event of mergeByClock(histories)) events.push(event);
  const causes = causesOf(trace, events);
  return { trace, events: events.filter(({ header }) => causes.has(header.correlationId)) };
}

/** The request itself; for a machine that was asked for by another one already, that one. */
function causesOf({ requestId, atMs, stages }: RequestTrace, events: readonly RecordedEvent[]): Set<string> {
  const causes = new Set([requestId]);
  const endMs = atMs + (stages.at(-1)?.afterMs ?? 0);
  const isMeanwhile = ({ header }: RecordedEvent) => {
    const wallMs = wallMsOf(header.clock);
    return wallMs >= atMs - CLOCK_SLACK_MS && wallMs <= endMs + CLOCK_SLACK_MS;
  };
  for (const { stage, machineId } of stages) {
    if (stage !== "asked" && stage !== "accepted") continue;
    const own = events.filter(({ data }) => "machineId" in data && data.machineId === machineId);
    if (own.some(({ header }) => header.correlationId === requestId)) continue;
    const start = own.findLast((event) => event.type === "MachineStarting" && isMeanwhile(event));
    if (start !== undefined) causes.add(start.header.correlationId);
  }
  return causes;
}

async function* good(history: AsyncIterable<DecodedEvent>, onBad: OnBad): AsyncGenerator<RecordedEvent> {
  for await (const decoded of history) {
    if (decoded.kind === "event") yield decoded.event;
    else
      onBad(
        `${decoded.log ?? decoded.subject}:${decoded.sequence ?? "?"} ${decoded.reason}: ${decoded.detail}`,
      );
  }
}
