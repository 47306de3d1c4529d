import {
  type JetStreamManager,
  jetstreamManager,
  type StreamSource,
  type SubjectTransformConfig,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { decodeEvent, subjects } from "#contracts";
import type { Clock } from "#kernel";
import { readStream } from "./read-stream.ts";
import { storedMessage } from "./stored-message.ts";
import { CONTROL, FLEET } from "./stream-names.ts";

const MAX_ATTEMPTS = 20;
const PAUSE_MS = 50;

export interface FleetReconcilerSettings {
  /** The subject under which a host's leaf delivers to the hub (`sourceDelivery` of the topology). */
  readonly deliveryOf: (hostId: string) => string;
  readonly clock: Clock;
}

/** A host that registered itself. */
export interface RegisteredHost {
  readonly hostId: string;
  readonly region: string;
}

/**
 * Keeps FLEET's source list equal to the host registrations in CONTROL. A stream's configuration has no
 * compare-and-set: of several writers the last wins, with whatever it knew. So there is to be one reconciler, and it
 * believes only what it reads back.
 */
export class FleetReconciler {
  readonly #nc: NatsConnection;
  readonly #settings: FleetReconcilerSettings;
  #running: Promise<unknown> = Promise.resolve();
  #registered: readonly RegisteredHost[] = [];

  constructor(nc: NatsConnection, settings: FleetReconcilerSettings) {
    this.#nc = nc;
    this.#settings = settings;
  }

  /** The hosts that were registered when it last looked. */
  get registered(): readonly RegisteredHost[] {
    return this.#registered;
  }

  /**
   * To be called at start and after every registration. When it resolves, FLEET sources exactly the logs that are
   * registered. The log that a host had before is no longer sourced; what it brought stays. Calls run one by one.
   * Says whether there was anything to change.
   */
  reconcile(): Promise<boolean> {
    return this.#afterwards(() => this.#settle());
  }

  /**
   * Has FLEET source these streams anew, from where it stood. A source that found no way to its host tries again after
   * 10 s, then ever more rarely, also when the way is free again (2.15.1); one that is added goes on at once.
   */
  resume(streams: ReadonlySet<string>): Promise<boolean> {
    return this.#afterwards(async () => {
      await this.#drop(streams);
      return this.#settle();
    });
  }

  #afterwards<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#running.then(act);
    this.#running = next.catch(() => undefined);
    return next;
  }

  async #drop(streams: ReadonlySet<string>): Promise<void> {
    const jsm = await jetstreamManager(this.#nc, { checkAPI: false });
    const rest = (await currentSources(jsm)).filter(({ name }) => !streams.has(name));
    await jsm.streams.update(FLEET, withSources(rest));
  }

  async #settle(): Promise<boolean> {
    const jsm = await jetstreamManager(this.#nc, { checkAPI: false });
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      // Read again at each attempt: a rival that overwrote us may have known of a host that we did not.
      const wanted = await this.#wantedSources();
      if (sameSources(await currentSources(jsm), wanted)) return attempt > 0;
      await jsm.streams.update(FLEET, withSources(wanted));
      if (attempt > 0) await this.#settings.clock.sleep(PAUSE_MS * attempt);
    }
    throw new Error(
      `FLEET's sources do not settle after ${MAX_ATTEMPTS} attempts: is a second reconciler running?`,
    );
  }

  async #wantedSources(): Promise<StreamSource[]> {
    const byHost = new Map<string, StreamSource>();
    const registered = new Map<string, RegisteredHost>();
    for await (const message of readStream(this.#nc, CONTROL, { filter: subjects.control("host", "*") })) {
      const decoded = decodeEvent(storedMessage(message, message.seq));
      if (decoded.kind !== "event" || decoded.event.type !== "HostRegistered") continue;
      const { hostId, region, stream, domain } = decoded.event.data;
      registered.set(hostId, { hostId, region });
      const external = { api: `$JS.${domain}.API`, deliver: this.#settings.deliveryOf(hostId) };
      byHost.set(hostId, { name: stream, external, subject_transforms: [ownSubjects(hostId)] });
    }
    this.#registered = [...registered.values()];
    return [...byHost.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** Whatever subject a host's leaf sends, in FLEET it is one of that host: none speaks in another's name. */
export function ownSubjects(hostId: string): SubjectTransformConfig {
  return { src: "evt.host.*.>", dest: subjects.hostLog(hostId) };
}

/** FLEET takes nothing but what it sources. Without any source the server insists on a subject, and gives it one. */
function withSources(sources: StreamSource[]): { subjects?: string[]; sources: StreamSource[] } {
  return sources.length > 0 ? { subjects: [], sources } : { sources };
}

async function currentSources(jsm: JetStreamManager): Promise<StreamSource[]> {
  return (await jsm.streams.info(FLEET)).config.sources ?? [];
}

function sameSources(have: readonly StreamSource[], wanted: readonly StreamSource[]): boolean {
  return describe(have) === describe(wanted);
}

function describe(sources: readonly StreamSource[]): string {
  const lines = sources.map(({ name, external, subject_transforms: transforms }) =>
    [
      name,
      external?.api,
      external?.deliver,
      ...(transforms ?? []).map(({ src, dest }) => `${src}>${dest}`),
    ].join(" "),
  );
  return lines.sort().join("\n");
}
