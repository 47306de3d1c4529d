/** Which host owns a volume: the one whose log it lives in (I6). */
export interface VolumePlacement {
  readonly volumeId: string;
  readonly appName: string;
  readonly epoch: number;
  readonly region?: string;
  /** Absent when no host took the volume in this epoch. */
  readonly hostId?: string;
  /** Why not: a refusal's code. */
  readonly refusedAs?: string;
}
