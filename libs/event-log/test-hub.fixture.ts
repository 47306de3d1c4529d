import { jetstream, jetstreamManager, type StreamSource } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { type AnyEvent, type EncodedEvent, encodeEvent, HEADERS, type NewEvent, subjects } from "#contracts";
import { HybridClock, SystemClock, SystemIds } from "#kernel";
import { type NatsServer, openConfig, startNatsServer } from "#testing";
import { ownSubjects } from "./fleet-reconciler.ts";
import type { Fold } from "./fold.ts";
import type { AskOwner } from "./gap-repair.ts";
import { controlLogId, ensureHubStreams } from "./hub-streams.ts";
import { liveEnd, liveMessage } from "./live-message.ts";
import { FLEET, hostStream } from "./stream-names.ts";

/** Log id → ids of the events applied, in order: shows what came, how often and in which order. */
export type Seen = Map<string, string[]>;

/** A fold for tests. It throws for an event about "poison". */
export const SEEN: Fold<Seen> = {
  version: 1,
  empty: () => new Map(),
  evolve: (seen, event) => {
    if (JSON.stringify(event.data).includes("poison")) throw new Error("poison");
    seen.set(event.log, [...(seen.get(event.log) ?? []), event.header.id]);
    return seen;
  },
  toJson: (seen) => [...seen],
  fromJson: (json) => new Map(json as [string, string[]][]),
};

/** A real server with CONTROL, FLEET and hosts' logs as streams beside them: a hub without the leaves. */
export class TestHub {
  readonly server: NatsServer;
  readonly nc: NatsConnection;
  readonly clock = new SystemClock();
  readonly ids = new SystemIds(this.clock);
  readonly #hybridClock = new HybridClock(this.clock);

  static async start(): Promise<TestHub> {
    const server = await startUnsynced();
    const hub = new TestHub(server, await connectTo(server));
    await ensureHubStreams(hub.nc, hub.ids);
    return hub;
  }

  private constructor(server: NatsServer, nc: NatsConnection) {
    this.server = server;
    this.nc = nc;
  }

  async stop(): Promise<void> {
    await this.nc.close();
    await this.server.stop();
  }

  event(event: AnyEvent, subject: string): NewEvent {
    const header = {
      ...{ id: this.ids.ulid(), version: 1, clock: this.#hybridClock.tick() },
      ...{ causationId: "test", correlationId: "test", actor: "test" },
    };
    return { ...event, subject, header };
  }

  /** Appends an app's creation to CONTROL. Returns its id. */
  async createApp(appName: string): Promise<string> {
    const about = { appName, appId: appName, orgSlug: "personal", network: "default", createdAtMs: 1 };
    return this.appendControl(
      this.event({ type: "AppCreated", data: about }, subjects.control("app", appName)),
    );
  }

  async register(log: TestLog): Promise<string> {
    const { hostId, logId } = log;
    const about = { hostId, region: "local", logId, stream: log.stream, domain: hostId, registeredAtMs: 1 };
    const event = this.event({ type: "HostRegistered", data: about }, subjects.control("host", hostId));
    return this.appendControl(event);
  }

  async appendControl(event: NewEvent): Promise<string> {
    await this.publish(encodeEvent(event, { log: await controlLogId(this.nc) }));
    return event.header.id;
  }

  async publish(message: EncodedEvent): Promise<void> {
    const { subject, headers: carried, body } = message;
    const all = headers();
    for (const [name, value] of Object.entries(carried)) all.set(name, value);
    // Insists: some tests kill the server meanwhile. The message id makes repeats harmless.
    for (let attempt = 0; ; attempt += 1) {
      try {
        await jetstream(this.nc).publish(subject, body, { headers: all, timeout: 500 });
        return;
      } catch (error) {
        if (attempt === 20) throw error;
      }
    }
  }

  /** Opens a host's log. FLEET sources it from its event `sourcedFrom` on; 0: not at all. */
  async openLog(hostId: string, sourcedFrom = 1): Promise<TestLog> {
    const log = new TestLog(this, hostId, this.ids.ulid());
    const jsm = await jetstreamManager(this.nc);
    await jsm.streams.add({ name: log.stream, subjects: [subjects.hostLog(hostId)] });
    if (sourcedFrom > 0) await this.source(log, sourcedFrom);
    return log;
  }

  async source(log: TestLog, from = 1): Promise<void> {
    const sources = await this.#sources();
    const transforms = [ownSubjects(log.hostId)];
    const added = { name: log.stream, opt_start_seq: from, subject_transforms: transforms };
    const jsm = await jetstreamManager(this.nc);
    await jsm.streams.update(FLEET, { subjects: [], sources: [...sources, added] });
  }

  async unsource(log: TestLog): Promise<void> {
    const rest = (await this.#sources()).filter(({ name }) => name !== log.stream);
    const jsm = await jetstreamManager(this.nc);
    await jsm.streams.update(FLEET, { sources: rest });
  }

  async #sources(): Promise<StreamSource[]> {
    const jsm = await jetstreamManager(this.nc);
    return (await jsm.streams.info(FLEET)).config.sources ?? [];
  }
}

/** A host's log under test: what an agent would append and send, piece by piece. */
export class TestLog {
  readonly hostId: string;
  readonly logId: string;
  readonly #hub: TestHub;
  /** The messages of its events, by sequence. */
  readonly #messages: EncodedEvent[] = [];

  constructor(hub: TestHub, hostId: string, logId: string) {
    this.#hub = hub;
    this.hostId = hostId;
    this.logId = logId;
  }

  get stream(): string {
    return hostStream(this.hostId, this.logId);
  }

  get lastSequence(): number {
    return this.#messages.length;
  }

  /** Ids of its events, in order. */
  get eventIds(): string[] {
    return this.#messages.map(({ headers: carried }) => carried[HEADERS.id]!);
  }

  /** Appends an alarm. `damage` changes the copy in the stream; the owner's answers stay as they were. */
  async append(alarm = "test", damage?: (message: EncodedEvent) => EncodedEvent): Promise<EncodedEvent> {
    const data = { hostId: this.hostId, alarm, message: "m" };
    return this.appendEvent({ type: "HostAlarmRaised", data }, damage);
  }

  async appendEvent(
    event: AnyEvent,
    damage: (message: EncodedEvent) => EncodedEvent = (message) => message,
  ): Promise<EncodedEvent> {
    const place = { log: this.logId, sequence: this.lastSequence + 1 };
    const message = encodeEvent(this.#hub.event(event, subjects.host(this.hostId)), place);
    this.#messages.push(message);
    await this.#hub.publish(damage(message));
    return message;
  }

  async appendMany(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.append()));
  }

  /** Sends an event on the live feed. */
  live(message: EncodedEvent): void {
    const { headers: carried, body } = liveMessage(message);
    this.#hub.nc.publish(subjects.live(this.hostId), body, { headers: carried });
  }

  /** Says on the live feed how far it goes. */
  announceEnd(): void {
    const { headers: carried, body } = liveEnd(this.logId, this.lastSequence);
    this.#hub.nc.publish(subjects.live(this.hostId), body, { headers: carried });
  }

  /** Makes room for the host's next log: this stream keeps what it has, and gets nothing more. */
  async retire(): Promise<void> {
    const jsm = await jetstreamManager(this.#hub.nc);
    await jsm.streams.update(this.stream, { subjects: [`retired.${this.logId}.>`] });
  }

  /** Answers as its owner would. */
  readonly answer: AskOwner = async (hostId, { logId, fromSequence, limit }) => {
    if (hostId !== this.hostId || logId !== this.logId) throw new Error("not found");
    const events = this.#messages
      .map((message, index) => ({ ...message, headers: { ...message.headers }, sequence: index + 1 }))
      .slice(fromSequence - 1, fromSequence - 1 + limit);
    return { events, lastSequence: this.lastSequence };
  };
}

/** A server that does not sync: tests kill servers, not machines, append thousands, and share the disk with others. */
export function startUnsynced(): Promise<NatsServer> {
  return startNatsServer((place) => openConfig(place).replace(", sync_interval: always", ""));
}

export function connectTo(server: NatsServer): Promise<NatsConnection> {
  return connect({ servers: server.url, timeout: 5_000, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
}

/** Flips one bit in the middle of a message's body. */
export function flipped(message: EncodedEvent): EncodedEvent {
  const middle = Math.floor(message.body.length / 2);
  const bit = String.fromCharCode(message.body.charCodeAt(middle) ^ 1);
  return { ...message, body: `${message.body.slice(0, middle)}${bit}${message.body.slice(middle + 1)}` };
}
