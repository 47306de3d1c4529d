import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NestFastifyApplication } from "@nestjs/platform-fastify";
import { pino } from "pino";
import { type BusConnection, connectBus } from "#bus";
import { ensureHubStreams } from "#event-log";
import { ControlCommands } from "#fleet";
import { HybridClock } from "#kernel";
import { HealthServer, Metrics } from "#service";
import {
  type Fate,
  freePort,
  type Islands,
  startTopology,
  type TappedMessage,
  type TestBusSettings,
  type Topology,
  WireTap,
} from "#testing";
import { type ApiParts, apiParts } from "../../apps/api/api.module.ts";
import { apiServer } from "../../apps/api/serve.ts";
import { ApiSettings } from "../../apps/api/settings.ts";
import { SchedulerParts } from "../../apps/scheduler/scheduler.module.ts";
import { serveScheduler } from "../../apps/scheduler/serve.ts";
import { serveVolumes } from "../../apps/volumes/serve.ts";
import { VolumesParts } from "../../apps/volumes/volumes.module.ts";
import type { HostPlace } from "../simulation/host-world.ts";
import { PlaneHost } from "./plane-host.ts";
import { PlaneRouter } from "./plane-router.ts";

const logger = pino({ level: "silent" });
const TOKEN = "drover_test";

/** Answer of the Machines API. */
export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: T;
}

/** What watches every message between any party ("api", "scheduler", "volumes", a host's id) and its nats-server. */
export type Watch = (party: string, message: TappedMessage) => Fate;

interface Api {
  readonly parts: ApiParts;
  readonly app: NestFastifyApplication;
  readonly nc: BusConnection;
  readonly tap: WireTap;
}

interface Scheduler {
  readonly nc: BusConnection;
  readonly tap: WireTap;
  readonly stopping: AbortController;
  readonly close: () => Promise<void>;
}

interface Volumes {
  readonly parts: VolumesParts;
  readonly nc: BusConnection;
  readonly tap: WireTap;
  readonly close: () => Promise<void>;
}

/** What is still being written when a service ends may come between: then again. */
const GONE = { recursive: true, force: true, maxRetries: 5 } as const;

/**
 * A whole control plane in this process: the real API, scheduler, service volumes and agents on real NATS with the real permissions; only
 * containers, images and networks are simulated. Every message of every party passes a tap.
 */
export class Plane {
  readonly topology: Topology;
  readonly hosts: readonly PlaneHost[];
  /** Decides on every message; lets all arrive unless set. */
  watch: Watch = () => "arrives";
  readonly #dataDir: string;
  /** Where the API listens, once it was asked to. */
  #apiPort: number | undefined;
  /** Of the API's read model, once one was asked for. */
  #database: { readonly databaseUrl?: string } | undefined;
  #api!: Api;
  /** Of the API's clients. */
  readonly #sockets = new Set<Socket>();
  readonly #routers: PlaneRouter[] = [];
  #scheduler!: Scheduler;
  #volumes!: Volumes;

  /**
   * `more`: what all hosts have; `own`: what one of them has, by its id. `islands`: where the hosts' leaves are, when
   * their links are to be broken.
   */
  static async start(
    hostIds: readonly string[],
    more: Partial<HostPlace> = {},
    own: Readonly<Record<string, Partial<HostPlace>>> = {},
    islands?: Islands,
  ): Promise<Plane> {
    const regionOf = (hostId: string) => own[hostId]?.region ?? more.region ?? "local";
    const topology = await startTopology({ hosts: hostIds, regionOf, ...(islands && { islands }) });
    const plane = new Plane(topology, await mkdtemp(join(tmpdir(), "drover-plane-")));
    await plane.startScheduler();
    const make = (hostId: string) =>
      PlaneHost.make(topology.hosts.get(hostId)!, plane.#tapOf(hostId), { ...more, ...own[hostId] });
    Object.assign(plane, { hosts: await Promise.all(hostIds.map(make)) });
    await Promise.all(plane.hosts.map((host) => host.start()));
    await Promise.all([plane.startVolumes(), plane.startApi()]);
    await plane.registered();
    return plane;
  }

  private constructor(topology: Topology, dataDir: string) {
    this.topology = topology;
    this.hosts = [];
    this.#dataDir = dataDir;
  }

  host(hostId: string): PlaneHost {
    return this.hosts.find((host) => host.hostId === hostId)!;
  }

  get api(): ApiParts {
    return this.#api.parts;
  }

  /** The API's connection to the hub, to read with. */
  get hub(): BusConnection {
    return this.#api.nc;
  }

  /** A request to the Machines API, as it comes over HTTP. */
  async ask<T = Record<string, unknown>>(
    method: "GET" | "POST" | "PUT" | "DELETE",
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const json = body === undefined ? {} : { payload: JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const authorization = `Bearer ${TOKEN}`;
    const response = await this.#api.app.inject({
      method,
      url,
      headers: { authorization, ...type, ...headers },
      ...json,
    });
    const text = response.payload;
    return {
      status: response.statusCode,
      headers: response.headers,
      body: text ? JSON.parse(text) : undefined,
    };
  }

  async startApi(): Promise<void> {
    const { tap, nc } = await this.#connect("api", this.topology.bus("api"));
    const listen = { host: "127.0.0.1", port: 1 };
    const settings = new ApiSettings({
      clusterId: "plane",
      region: "local",
      nats: { servers: [tap.url], seedFile: "none" },
      monitorUrl: this.topology.hub.monitorUrl,
      listen,
      dataDir: join(this.#dataDir, "api"),
      adminTokenFile: "none",
      allowUnsafe: false,
      ...this.#database,
    });
    const secrets = { adminToken: TOKEN, seed: this.topology.bus("api").seed };
    const parts = await apiParts(nc, settings, secrets, logger);
    const app = await apiServer(parts, new HealthServer(new Metrics()), logger);
    await app.init();
    app.getHttpServer().on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await app.getHttpAdapter().getInstance().ready();
    await parts.projection.caughtUp;
    if (this.#database !== undefined) parts.readModel.start();
    if (this.#apiPort !== undefined) await app.listen(this.#apiPort, "127.0.0.1");
    this.#api = { parts, app, nc, tap };
  }

  /** From now on the API listens, too. Resolves to what a client needs. */
  async listen(): Promise<{ readonly base: string; readonly token: string }> {
    this.#apiPort ??= await freePort();
    const { app } = this.#api;
    if (!app.getHttpServer().listening) await app.listen(this.#apiPort, "127.0.0.1");
    return { base: `http://127.0.0.1:${this.#apiPort}`, token: TOKEN };
  }

  /** From now on the API has a read model: in Postgres, or in PGlite without a URL. Otherwise it is never opened. */
  openDatabase(url?: string): Promise<void> {
    this.#database = url === undefined ? {} : { databaseUrl: url };
    return this.replace("api");
  }

  async startScheduler(): Promise<void> {
    const { tap, nc } = await this.#connect("scheduler", this.topology.bus("scheduler"));
    const parts = new SchedulerParts(nc, logger);
    await ensureHubStreams(nc, parts.ids);
    await parts.reconciler.reconcile();
    const stopping = new AbortController();
    void parts.stalledSources.run(stopping.signal);
    const app = await serveScheduler(parts, nc, logger);
    this.#scheduler = { nc, tap, stopping, close: () => app.close() };
  }

  /** It takes no snapshots by itself here. */
  async startVolumes(): Promise<void> {
    const { tap, nc } = await this.#connect("volumes", this.topology.bus("volumes"));
    const parts = await VolumesParts.start(nc, join(this.#dataDir, "volumes"), logger);
    const app = await serveVolumes(parts, nc, logger);
    this.#volumes = { nc, tap, parts, close: () => app.close() };
  }

  get volumes(): VolumesParts {
    return this.#volumes.parts;
  }

  /** Starts a router; it is stopped with the plane. */
  async startRouter(routerId = "router-1"): Promise<PlaneRouter> {
    const { hub } = this.topology;
    const openTap = () => this.#tapOf(routerId)(hub);
    const folder = join(this.#dataDir, routerId);
    const router = new PlaneRouter(routerId, this.topology.bus("router"), openTap, folder);
    this.#routers.push(router);
    await router.start();
    return router;
  }

  /** Nothing that it has not said by now is ever heard of it. */
  killApi(): void {
    const { tap, nc, parts, app } = this.#api;
    tap.cut();
    // As a process that dies: what it held open breaks off.
    const server = app.getHttpServer();
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    void nc.close();
    void parts.projection.stop();
    void parts.readModel.stop();
    void parts.replay.stop();
  }

  killScheduler(): void {
    const { tap, nc, stopping, close } = this.#scheduler;
    tap.cut();
    stopping.abort();
    void nc.close();
    void close();
  }

  killVolumes(): void {
    const { tap, nc, parts, close } = this.#volumes;
    tap.cut();
    void nc.close();
    void parts.projection.stop();
    void close();
  }

  /** Kills the API, takes away whatever it has kept, and starts another one. */
  async forgetApi(): Promise<void> {
    this.killApi();
    await rm(join(this.#dataDir, "api"), GONE);
    await this.startApi();
  }

  /** Kills a party; the promise resolves when its successor serves. */
  replace(party: string): Promise<void> {
    if (party === "api") {
      this.killApi();
      return this.startApi();
    }
    if (party === "scheduler") {
      this.killScheduler();
      return this.startScheduler();
    }
    if (party === "volumes") {
      this.killVolumes();
      return this.startVolumes();
    }
    const host = this.host(party);
    host.kill();
    return host.start();
  }

  /** The host that owns a machine, by CONTROL itself. */
  async ownerOf(machineId: string): Promise<string | undefined> {
    const { clock, ids } = this.#api.parts;
    const control = new ControlCommands(this.#api.nc, { clock, ids, hybridClock: new HybridClock(clock) });
    return (await control.load("machine", machineId)).placements.get(machineId)?.hostId;
  }

  /** Resolves when the API sees every host. */
  async registered(): Promise<void> {
    while (this.#api.parts.fleet.hosts().length < this.hosts.length) await pause();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#routers.map((router) => router.stop()));
    const { projection, readModel } = this.#api.parts;
    await Promise.all([projection.stop(), readModel.stop(), this.#volumes.parts.projection.stop()]);
    this.killApi();
    this.killVolumes();
    this.killScheduler();
    await Promise.all(this.hosts.map((host) => host.remove()));
    await this.topology.stop();
    await rm(this.#dataDir, GONE);
  }

  #tapOf(party: string) {
    return (target: { readonly port: number }) =>
      WireTap.open(target, (message) => this.watch(party, message));
  }

  async #connect(party: string, bus: TestBusSettings): Promise<{ tap: WireTap; nc: BusConnection }> {
    const tap = await this.#tapOf(party)(this.topology.hub);
    return { tap, nc: await connectBus({ ...bus, servers: [tap.url] }) };
  }
}

export function pause(durationMs = 20): Promise<void> {
  return new Promise((done) => setTimeout(done, durationMs));
}
