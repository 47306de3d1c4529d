import type { RecordedEvent } from "#contracts";
import { type FleetView, findMachine, findVolume } from "#fleet";
import { wallMsOf } from "#kernel";
import { hostIdOf } from "#timeline";
import type { RowOf } from "./tables.ts";

/** Tells to which app an event belongs, also where it does not say so itself: of machines and volumes that were heard of. */
export class EventApps {
  readonly #view: FleetView;
  /** By the id of a machine or a volume. */
  readonly #appOf = new Map<string, string>();

  /** `view`: what was known before the first event that is asked for. */
  constructor(view: FleetView) {
    this.#view = view;
  }

  of({ data }: RecordedEvent): string | undefined {
    const { appName, machineId, volumeId } = data as Partial<
      Record<"appName" | "machineId" | "volumeId", string>
    >;
    const id = machineId ?? volumeId;
    if (id === undefined) return appName;
    if (appName !== undefined) this.#appOf.set(id, appName);
    return this.#appOf.get(id) ?? this.#lookUp(machineId, volumeId);
  }

  /** Asked once of each: what is not known by then is told by an event that names its app. */
  #lookUp(machineId: string | undefined, volumeId = ""): string | undefined {
    const known =
      machineId === undefined ? findVolume(this.#view, volumeId) : findMachine(this.#view, machineId);
    if (known !== undefined) this.#appOf.set(machineId ?? volumeId, known.appName);
    return known?.appName;
  }
}

/** An event as a row. */
export function eventRow(event: RecordedEvent, apps: EventApps): RowOf<"events"> {
  const { type, log, sequence, header, data, decision } = event;
  const { machineId, volumeId, hostId } = data as Partial<
    Record<"machineId" | "volumeId" | "hostId", string>
  >;
  return {
    id: header.id,
    log,
    sequence,
    at: new Date(wallMsOf(header.clock)).toISOString(),
    clock: header.clock,
    type,
    host: hostIdOf(event) ?? hostId ?? null,
    machine: machineId ?? null,
    volume: volumeId ?? null,
    app: apps.of(event) ?? null,
    actor: header.actor,
    correlation: header.correlationId,
    causation: header.causationId,
    command: decision?.command ?? null,
    data,
    decision: decision ?? null,
  };
}
