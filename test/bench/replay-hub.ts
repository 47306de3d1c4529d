import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { type EventPlace, encodeEvent, type NewEvent, subjects, VOCABULARY } from "#contracts";
import { decideControl, emptyControl } from "#control";
import { controlLogId, ensureHubStreams, FLEET, hostStream } from "#event-log";
import { type NatsServer, openConfig, startNatsServer } from "#testing";
import { HostHistory } from "./log-history.ts";
import { clock, ids } from "./log-leaf.ts";

const HOSTS = 10;
const MACHINES_PER_HOST = 100;
const IN_FLIGHT = 1_000;
/** Other programs may have the machine for a while. */
const PATIENCE_MS = 120_000;

/** A hub that has sourced the logs of several hosts: 1,000 machines that live side by side, for as long as is wanted. */
export class ReplayHub {
  readonly server: NatsServer;
  readonly nc: NatsConnection;
  #pending: Promise<unknown>[] = [];

  static async start(): Promise<ReplayHub> {
    const server = await startNatsServer((place) => openConfig(place).replace(", sync_interval: always", ""));
    const nc = await connect({ servers: server.url });
    await ensureHubStreams(nc, ids);
    return new ReplayHub(server, nc);
  }

  private constructor(server: NatsServer, nc: NatsConnection) {
    this.server = server;
    this.nc = nc;
  }

  /** Lets hosts live until FLEET has so many events. */
  async fill(eventCount: number): Promise<void> {
    const jsm = await jetstreamManager(this.nc, { checkAPI: false });
    const control = await controlLogId(this.nc);
    const hosts = Array.from({ length: HOSTS }, (_, index) => ({
      hostId: `host-${index}`,
      logId: ids.ulid(),
    }));
    for (const { hostId, logId } of hosts) {
      await jsm.streams.add({ name: hostStream(hostId, logId), subjects: [subjects.hostLog(hostId)] });
    }
    const sources = hosts.map(({ hostId, logId }) => ({ name: hostStream(hostId, logId) }));
    await jsm.streams.update(FLEET, { subjects: [], sources });
    const lives = hosts.map(({ hostId, logId }) => ({
      hostId,
      logId,
      events: new HostHistory(logId, hostId).events(MACHINES_PER_HOST),
    }));
    for (let index = 0; index < eventCount; index += 1) {
      const { hostId, logId, events } = lives[index % HOSTS]!;
      const event = events.next().value;
      if (event.type === "ReservationMade") await this.#place(control, hostId, event);
      await this.#append(event, { log: logId, sequence: Math.floor(index / HOSTS) + 1 });
    }
    await Promise.all(this.#pending);
    while ((await jsm.streams.info(FLEET)).state.messages < eventCount) await clock.sleep(200);
  }

  async stop(): Promise<void> {
    await this.nc.close();
    await this.server.stop();
  }

  /** What CONTROL has to say of a machine before its host makes it. */
  async #place(control: string, hostId: string, event: NewEvent): Promise<void> {
    if (event.type !== "ReservationMade" || event.data.machineId === undefined) return;
    const { machineId, epoch } = event.data;
    const placed = {
      machineId,
      appName: "hello",
      hostId,
      epoch,
      region: "local",
      candidates: [],
      refusals: [],
    };
    const decision = decideControl({ type: "DecidePlacement", ...placed }, emptyControl());
    if (decision.kind !== "accepted") throw new Error(JSON.stringify(decision));
    const { event: decided } = decision;
    const header = { ...event.header, id: ids.ulid(), version: VOCABULARY.currentVersionOf(decided.type) };
    const subject = subjects.control("machine", machineId);
    await this.#append({ ...decided, subject, header } as NewEvent, { log: control });
  }

  async #append(event: NewEvent, place: EventPlace): Promise<void> {
    const message = encodeEvent(event, place);
    const carried = headers();
    for (const [name, value] of Object.entries(message.headers)) carried.set(name, value);
    this.#pending.push(
      jetstream(this.nc).publish(message.subject, message.body, { headers: carried, timeout: PATIENCE_MS }),
    );
    if (this.#pending.length < IN_FLIGHT) return;
    await Promise.all(this.#pending);
    this.#pending = [];
  }
}
