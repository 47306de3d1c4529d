import type { z } from "zod";
import { controlEvents } from "./events/control.ts";
import { hostEvents } from "./events/host.ts";
import { machineEvents } from "./events/machine.ts";
import { volumeEvents } from "./events/volume.ts";

/** Turns an event's data of one version into the next version's. Pure, total, and never changed once released (I4). */
export type Upcast = (data: unknown) => unknown;

/** Which events a process understands: the newest schema of each type, and the way there from older versions. */
export class EventVocabulary {
  readonly #schemas: ReadonlyMap<string, z.ZodType>;
  readonly #upcasts: ReadonlyMap<string, readonly Upcast[]>;

  /** `upcasts[type][i]` turns version `i + 1` into version `i + 2`; a type without any is at version 1. */
  constructor(
    schemas: Readonly<Record<string, z.ZodType>>,
    upcasts: Readonly<Record<string, readonly Upcast[]>>,
  ) {
    this.#schemas = new Map(Object.entries(schemas));
    this.#upcasts = new Map(Object.entries(upcasts));
  }

  /** All types, sorted. */
  types(): string[] {
    return [...this.#schemas.keys()].sort();
  }

  /** The schema of a type's current version; undefined for an unknown type. */
  schemaOf(type: string): z.ZodType | undefined {
    return this.#schemas.get(type);
  }

  /** The version in which events of a type are written today. */
  currentVersionOf(type: string): number {
    return 1 + (this.#upcasts.get(type)?.length ?? 0);
  }

  /** Brings data of an older `version` to the current one. Throws what an upcast throws: such an event is bad. */
  upcast(type: string, version: number, data: unknown): unknown {
    const steps = this.#upcasts.get(type)?.slice(version - 1) ?? [];
    return steps.reduce((current, step) => step(current), data);
  }
}

/** The next version only has more fields, or more that may be missing. */
const asItIs: Upcast = (data) => data;

/** Every event of Drover. A new version of a type adds its upcast here; the old version stays as a golden file. */
export const VOCABULARY = new EventVocabulary(
  { ...machineEvents, ...volumeEvents, ...hostEvents, ...controlEvents },
  {
    MachineCreating: [asItIs, asItIs],
    MachineStarting: [asItIs],
    MachineStopping: [asItIs],
    MachineExited: [asItIs],
    MachineRestarting: [asItIs],
    MachineSuspending: [asItIs],
    MachineUpdating: [asItIs],
    MachineUpdateFailed: [asItIs],
    MachineDestroying: [asItIs],
    MachineIntentQueued: [asItIs],
    VolumeCreating: [asItIs],
    HostCapacityMeasured: [asItIs],
    ReservationMade: [asItIs, asItIs],
    CommitRefused: [asItIs],
    HostCommandRefused: [asItIs],
    IdempotencyKeyClaimed: [asItIs],
    PlacementDecided: [asItIs, asItIs],
    PlacementRefused: [asItIs],
  },
);
