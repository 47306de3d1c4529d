import type { RouteTable, Uses } from "#routing";

/** What requests are routed by. */
export interface Routes {
  readonly table: Pick<RouteTable, "appOf" | "machinesOf" | "get">;
  readonly uses: Uses;
  /** Whether a host is not heard. */
  isSilent(hostId: string): boolean;
  /** Calls `listener` with each app whose routes changed. Returns the way to stop that. */
  onChange(listener: (appName: string) => void): () => void;
}
