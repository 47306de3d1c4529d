import { jetstream, jetstreamManager, type StreamSource } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { type EventPlace, encodeEvent, type RecordedEvent, subjects } from "#contracts";
import { ensureHubStreams, FLEET, hostStream } from "#event-log";
import { SeededIds, SimulatedClock, SystemClock } from "#kernel";
import { type NatsServer, openConfig, startNatsServer } from "#testing";

const clock = new SystemClock();
/** Events of different hosts that may arrive in any order among each other. */
const CHUNK = 200;
const ARRIVAL_MS = 20_000;
const DUPLICATES_MS = 1_200;

class KnownLogId extends SeededIds {
  readonly #logId: string;

  constructor(logId: string) {
    super(new SimulatedClock(), 1);
    this.#logId = logId;
  }

  override ulid(): string {
    return this.#logId;
  }
}

/** A hub whose FLEET sources logs that a test writes, about in the order in which they shall arrive. */
export class MadeHub {
  readonly nc: NatsConnection;
  readonly server: NatsServer;
  readonly #sources = new Map<string, StreamSource>();
  #pending: Promise<unknown>[] = [];
  #arrived = 0;

  static async start(controlLog: string): Promise<MadeHub> {
    const server = await startNatsServer((place) => openConfig(place).replace(", sync_interval: always", ""));
    const nc = await connect({ servers: server.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    await ensureHubStreams(nc, new KnownLogId(controlLog));
    return new MadeHub(server, nc);
  }

  private constructor(server: NatsServer, nc: NatsConnection) {
    this.server = server;
    this.nc = nc;
  }

  async appendControl(events: Iterable<RecordedEvent>): Promise<void> {
    for (const event of events) await this.#publish(event, event.subject, { log: event.log });
    await this.#settled();
  }

  /** Lets events of hosts' logs arrive. `damage`: of those whose copy is not whole. */
  async arrive(
    events: readonly RecordedEvent[],
    damage: (event: RecordedEvent) => boolean = () => false,
  ): Promise<void> {
    const logs = new Map(events.map(({ log, subject }) => [log, subject.split(".")[2]!]));
    for (const [log, hostId] of logs) await this.#open(log, hostId);
    for (let at = 0; at < events.length; at += CHUNK) {
      const chunk = events.slice(at, at + CHUNK);
      for (const event of chunk) {
        const { log, sequence, subject } = event;
        await this.#publish(event, `in.${log}.${subject}`, { log, sequence }, damage(event));
      }
      await this.#settled();
      this.#arrived += chunk.length;
      await this.#awaitFleet();
    }
  }

  /** Lets very many events of logs that arrived before come as fast as they can. */
  async bring(events: Iterable<RecordedEvent>): Promise<void> {
    for (const event of events) {
      const { log, sequence, subject } = event;
      await this.#publish(event, `in.${log}.${subject}`, { log, sequence });
      this.#arrived += 1;
    }
    await this.#settled();
    await this.#awaitFleet(10 * ARRIVAL_MS);
  }

  /** FLEET gets a log once more, from its beginning. */
  async sourceAgain(log: string): Promise<void> {
    const jsm = await jetstreamManager(this.nc);
    const { messages } = (await jsm.streams.info(this.#sources.get(log)!.name)).state;
    // FLEET takes what it has just taken for a repeat.
    await clock.sleep(DUPLICATES_MS);
    const before = this.#sources.get(log)!;
    const [transform] = before.subject_transforms!;
    // Under the same filter the server would go on where it was.
    const src = transform!.src!.replace(".*.", `.${transform!.dest!.split(".")[2]}.`);
    this.#sources.set(log, { ...before, subject_transforms: [{ ...transform!, src }] });
    await jsm.streams.update(FLEET, { sources: [...this.#sources.values()] });
    this.#arrived += messages;
    await this.#awaitFleet();
  }

  /** FLEET is made anew, of the same logs. */
  async makeFleetAnew(): Promise<void> {
    const jsm = await jetstreamManager(this.nc);
    await jsm.streams.delete(FLEET);
    await jsm.streams.add({ name: FLEET, sources: [...this.#sources.values()] });
    const infos = await Promise.all([...this.#sources.values()].map(({ name }) => jsm.streams.info(name)));
    this.#arrived = infos.reduce((sum, { state }) => sum + state.messages, 0);
    await this.#awaitFleet();
  }

  async stop(): Promise<void> {
    await this.nc.close();
    await this.server.stop();
  }

  async #open(log: string, hostId: string): Promise<void> {
    if (this.#sources.has(log)) return;
    const name = hostStream(hostId, log);
    const jsm = await jetstreamManager(this.nc);
    await jsm.streams.add({ name, subjects: [`in.${log}.>`] });
    const transform = { src: `in.${log}.evt.host.*.>`, dest: subjects.hostLog(hostId) };
    this.#sources.set(log, { name, subject_transforms: [transform] });
    await jsm.streams.update(FLEET, { subjects: [], sources: [...this.#sources.values()] });
  }

  async #publish(event: RecordedEvent, subject: string, place: EventPlace, isDamaged = false): Promise<void> {
    const message = encodeEvent(event, place);
    const carried = headers();
    for (const [name, value] of Object.entries(message.headers)) carried.set(name, value);
    const body = isDamaged ? message.body.replace('"header"', '"heeder"') : message.body;
    this.#pending.push(jetstream(this.nc).publish(subject, body, { headers: carried, timeout: 60_000 }));
    if (this.#pending.length >= 500) await this.#settled();
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#pending);
    this.#pending = [];
  }

  async #awaitFleet(patienceMs = ARRIVAL_MS): Promise<void> {
    const jsm = await jetstreamManager(this.nc);
    const untilMs = clock.monotonicMs() + patienceMs;
    for (;;) {
      const { state, config } = await jsm.streams.info(FLEET);
      if (state.messages >= this.#arrived) return;
      if (clock.monotonicMs() > untilMs) {
        throw new Error(`FLEET has ${state.messages} of ${this.#arrived}: ${JSON.stringify(config.sources)}`);
      }
      await clock.sleep(5);
    }
  }
}
