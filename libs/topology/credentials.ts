import { createUser, fromSeed } from "@nats-io/nkeys";

/** The services that connect to the hub. None of them enters `$SYS`: no credential for it exists. */
export const HUB_SERVICES = ["api", "scheduler", "router", "volumes", "cli"] as const;
export type HubService = (typeof HUB_SERVICES)[number];

/** Who may connect somewhere: a service, a host's leaf link at the hub, or the agent at its own leaf. */
export type User = HubService | `leaf-${string}` | `agent-${string}`;

/**
 * An nkey: servers know the public key only, and the seed never leaves the file of the one who signs with it.
 * There is no password to put on a command line or into a server's configuration.
 */
export interface Credential {
  readonly user: User;
  readonly publicKey: string;
  readonly seed: string;
}

/** The link's user at the hub for a host's leaf node. */
export function leafUser(hostId: string): User {
  return `leaf-${hostId}`;
}

/** The agent's user at its own leaf. */
export function agentUser(hostId: string): User {
  return `agent-${hostId}`;
}

/** Makes a new key pair for a user. */
export function mintCredential(user: User): Credential {
  const pair = createUser();
  return { user, publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) };
}

/** The credential that a seed belongs to. Throws when the text is no seed. */
export function credentialFromSeed(user: User, seed: string): Credential {
  return {
    user,
    publicKey: fromSeed(new TextEncoder().encode(seed.trim())).getPublicKey(),
    seed: seed.trim(),
  };
}
