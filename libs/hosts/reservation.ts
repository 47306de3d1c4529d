import type { PublishedPort, Resources } from "#contracts";

/** Whom room is for: a machine or a volume. Their ids never meet. */
export interface Claimant {
  readonly machineId?: string | undefined;
  readonly volumeId?: string | undefined;
}

export function claimantId({ machineId, volumeId }: Claimant): string {
  return machineId ?? volumeId ?? "";
}

/** Capacity that was promised to what is not committed yet. The host itself lets it expire. */
export interface Reservation extends Claimant {
  readonly id: string;
  /** Not known of those that were made before version 2 of their event. */
  readonly appName?: string | undefined;
  readonly epoch: number;
  readonly resources: Resources;
  readonly ports: readonly PublishedPort[];
  readonly ttlMs: number;
}
