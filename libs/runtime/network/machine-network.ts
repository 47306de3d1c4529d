import type { PublishedPort } from "#contracts";

/** What a machine's network is made from. */
export interface NetworkSpec {
  readonly machineId: string;
  /** Inside the host's /16, "10.213.1.7". */
  readonly ipv4: string;
  /** The IPv6 address that belongs to the machine id alone (F31). */
  readonly privateIp: string;
  /** Host ports on loopback that lead to the machine. */
  readonly ports: readonly PublishedPort[];
}

/**
 * Gives each machine a network namespace with its addresses, a way out, and its published ports. All of it lives in
 * the kernel and stays when we die (I5). Guests reach the outside, but neither the host nor each other.
 */
export abstract class MachineNetwork {
  /**
   * Makes or repairs the machine's network; with all in place it changes nothing. Throws `TerminalError`
   * ("port_taken") when something else on this host holds one of the ports.
   */
  abstract prepare(spec: NetworkSpec, signal: AbortSignal): Promise<{ readonly netnsPath: string }>;

  /** Takes it away, whatever is left of it. Idempotent. */
  abstract remove(machineId: string): Promise<void>;

  /** Ids of the machines that have a network here, whole or in part. */
  abstract list(): Promise<string[]>;
}
