import type { RecordedEvent } from "#contracts";
import type { StateBefore } from "../archive/base-parts.ts";

type HostLogs = StateBefore["fleet"]["logs"];

/**
 * A base without what its slice does not name: logs that it holds nothing of, machines, volumes and the rest that none of its
 * events is about. Whether what the slice shows depends on them after all is for the caller to see.
 */
export function prunedBase(base: StateBefore, events: readonly RecordedEvent[]): StateBefore {
  const text = events.map(({ data, subject }) => `${subject} ${JSON.stringify(data)}`).join("\n");
  const isNamed = (id: unknown) => typeof id === "string" && id !== "" && text.includes(id);
  const { fleet } = baseOfTheirLogs(base, events);
  const control = Object.fromEntries(
    Object.entries(fleet.control as Record<string, readonly unknown[]>).map(([name, records]) => [
      name,
      records.filter((record) => idsOf(record).some(isNamed)),
    ]),
  );
  return {
    ...baseOfTheirLogs(base, events),
    fleet: { ...fleet, control, logs: fleet.logs.map((one) => prunedLog(one, isNamed)) },
  };
}

/** A base without the logs that none of the events stands in; CONTROL stays whole. */
export function baseOfTheirLogs(base: StateBefore, events: readonly RecordedEvent[]): StateBefore {
  const logs = new Set(events.map(({ log }) => log));
  return {
    ...base,
    position: Object.fromEntries(Object.entries(base.position).filter(([log]) => logs.has(log))),
    fleet: { ...base.fleet, logs: base.fleet.logs.filter(({ log }) => logs.has(log)) },
  };
}

/** Everything in a host that is a list of things with ids. */
const LISTS = ["machines", "volumes", "snapshots", "reservations", "refusedCommits"] as const;

function prunedLog(log: HostLogs[number], isNamed: (id: unknown) => boolean): HostLogs[number] {
  const host: Record<string, unknown> = { ...(log.host as object) };
  for (const name of LISTS) {
    const list = host[name];
    if (Array.isArray(list)) host[name] = list.filter((one) => idsOf(one).some(isNamed));
  }
  const histories = log.histories.filter(([machineId]) => isNamed(machineId));
  return {
    ...log,
    host,
    histories,
    departures: log.departures.filter(({ machineId }) => isNamed(machineId)),
  };
}

/** By what a record is known: its own id, or what it is of. Of names and the like, records are pairs of key and value. */
function idsOf(record: unknown): unknown[] {
  if (Array.isArray(record)) return record.flatMap((one) => (typeof one === "string" ? [one] : idsOf(one)));
  if (record === null || typeof record !== "object") return [];
  const { id, machineId, volumeId, hostId, name, keyHash, hostname } = record as Record<string, unknown>;
  return [id, machineId, volumeId, hostId, keyHash, hostname, name];
}
