import type { PublishedPort, Resources } from "#contracts";

/** Capacity that was promised to a machine that is not committed yet. The host itself lets it expire. */
export interface Reservation {
  readonly id: string;
  readonly machineId: string;
  readonly epoch: number;
  readonly resources: Resources;
  readonly ports: readonly PublishedPort[];
  readonly ttlMs: number;
}
