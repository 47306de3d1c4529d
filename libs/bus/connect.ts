import { AuthorizationError, connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { subjects } from "#contracts";
import { type Clock, RefusedError, refusal, SystemClock } from "#kernel";

/** A connection to NATS, for those who hand it on and do not use it themselves. */
export type BusConnection = NatsConnection;

/** Where and as whom a process connects. */
export interface BusSettings {
  /** "nats://host:port", the hub's or the host's own leaf. Addresses that servers advertise are not followed. */
  readonly servers: readonly string[];
  /** "api", "agent-<hostId>"…: decides where its answers arrive. */
  readonly user: string;
  /** The nkey seed. It signs the server's challenge and goes nowhere else. */
  readonly seed: string;
  /** What the server's monitor calls this connection. */
  readonly name: string;
}

const RETRY_MS = 250;
const users = new WeakMap<NatsConnection, string>();

/** Whom a connection was made as; "anonymous" for one that `connectBus` did not make. */
export function userOf(nc: NatsConnection): string {
  return users.get(nc) ?? "anonymous";
}

/**
 * Connects, and waits for a server that is not there yet: services start in any order (F47). From then on it
 * reconnects for ever. Throws a refusal `unauthorized` when the server does not know the key, and whatever
 * `signal` was aborted with.
 */
export async function connectBus(
  settings: BusSettings,
  signal?: AbortSignal,
  clock: Clock = new SystemClock(),
): Promise<NatsConnection> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      const nc = await connect(connectionOptions(settings));
      users.set(nc, settings.user);
      return nc;
    } catch (thrown) {
      if (isUnauthorized(thrown)) throw new RefusedError(unauthorized(settings));
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

function connectionOptions(settings: BusSettings): Parameters<typeof connect>[0] {
  return {
    servers: [...settings.servers],
    name: settings.name,
    authenticator: nkeyAuthenticator(new TextEncoder().encode(settings.seed)),
    inboxPrefix: subjects.inbox(settings.user),
    timeout: 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY_MS,
    reconnectJitter: 50,
    // A server that is being reconfigured may refuse a key for a moment; only the first connect believes it.
    ignoreAuthErrorAbort: true,
    ignoreClusterUpdates: true,
    // A link that is cut without a word is noticed within 6 s, not 6 min.
    pingInterval: 2_000,
    maxPingOut: 2,
    noAsyncTraces: true,
  };
}

function unauthorized(settings: BusSettings) {
  return refusal(
    "unauthorized",
    `${settings.servers.join(", ")} does not know the key of ${settings.user}: check its seed file and the server's configuration`,
  );
}

/** The client calls it by the same name when the server did not wait for the signature: on a busy machine, try again. */
function isUnauthorized(thrown: unknown): boolean {
  const error = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  return error instanceof AuthorizationError && !/timeout/i.test(error.message);
}

/** Proves that the server answers: for readiness checks. Throws when it does not within `timeoutMs`. */
export async function assertBusAnswers(
  nc: NatsConnection,
  timeoutMs: number,
  clock: Clock = new SystemClock(),
): Promise<void> {
  const answered = new AbortController();
  const late = clock.sleep(timeoutMs, answered.signal).then(() => {
    throw new Error(`NATS did not answer within ${timeoutMs} ms`);
  });
  try {
    await Promise.race([nc.rtt(), late]);
  } finally {
    answered.abort();
  }
}
