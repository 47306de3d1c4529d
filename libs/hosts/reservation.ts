import type { PublishedPort, Resources } from "#contracts";

/** Capacity that was promised to a machine that is not committed yet. The host itself lets it expire. */
export interface Reservation {
  readonly id: string;
  readonly machineId: string;
  /** Not known of those that were made before version 2 of their event. */
  readonly appName?: string;
  readonly epoch: number;
  readonly resources: Resources;
  readonly ports: readonly PublishedPort[];
  readonly ttlMs: number;
}
