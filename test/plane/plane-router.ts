import { cp, mkdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { pino } from "pino";
import { connectBus } from "#bus";
import { Projection } from "#event-log";
import { FLEET_FOLD, findMachine } from "#fleet";
import type { StartedService } from "#service";
import { freePort, type TestBusSettings, type WireTap } from "#testing";
import { runRouter } from "../../apps/router/run-router.ts";
import { routerSettingsSchema } from "../../apps/router/settings.ts";

const logger = pino({ level: "silent" });

/** What a client got of an app. */
export interface AppAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** What a router says of its routes. */
export interface ShownAge {
  readonly stale: boolean;
  readonly as_of?: number;
  readonly age_ms?: number;
  readonly reason?: string;
}

/** A router of a plane, with sockets of its own. */
export class PlaneRouter {
  readonly routerId: string;
  readonly #bus: TestBusSettings;
  readonly #openTap: () => Promise<WireTap>;
  readonly #folder: string;
  #port = 0;
  #healthPort = 0;
  #tap!: WireTap;
  #service: StartedService | undefined;

  /** `openTap`: its way to the hub. */
  constructor(routerId: string, bus: TestBusSettings, openTap: () => Promise<WireTap>, folder: string) {
    this.routerId = routerId;
    this.#bus = bus;
    this.#openTap = openTap;
    this.#folder = folder;
  }

  /** The port of its link to the hub, that can be cut. */
  get linkPort(): number {
    return Number(new URL(this.#tap.url).port);
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    [this.#port, this.#healthPort] = [await freePort(), await freePort()];
    this.#tap = await this.#openTap();
    await mkdir(this.#folder, { recursive: true });
    const settings = routerSettingsSchema.parse({
      clusterId: "plane",
      routerId: this.routerId,
      region: "local",
      nats: { servers: [this.#tap.url], seedFile: "none" },
      listen: { host: "127.0.0.1", port: this.#port },
      healthListen: { host: "127.0.0.1", port: this.#healthPort },
      dataDir: this.#folder,
      limits: { holdMs: 5_000, connectMs: 1_000, drainMs: 100 },
    });
    const bus = { ...this.#bus, servers: [this.#tap.url] };
    this.#service = await runRouter(settings, logger, (signal) => connectBus(bus, signal));
  }

  /** A request for a host, as a client sends it: on a connection of its own. */
  async get(host: string, path = "/"): Promise<AppAnswer> {
    return new Promise((done, fail) => {
      const at = { host: "127.0.0.1", port: this.#port, path, headers: { host }, agent: false };
      const sent = request(at, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", fail);
        answer.on("end", () => {
          const { statusCode: status = 0, headers } = answer;
          done({ status, headers, body: Buffer.concat(parts).toString() });
        });
      });
      sent.on("error", fail).end();
    });
  }

  /** `/readyz`: whether it is ready, and what it says of its routes. */
  async readiness(): Promise<{ readonly status: number; readonly routes?: ShownAge }> {
    const answer = await fetch(`http://127.0.0.1:${this.#healthPort}/readyz`);
    const { routes } = (await answer.json()) as { routes?: ShownAge };
    return { status: answer.status, ...(routes && { routes }) };
  }

  /** `/routes` */
  async routes(): Promise<
    ShownAge & { readonly apps: readonly { name: string; machines: readonly unknown[] }[] }
  > {
    return (await fetch(`http://127.0.0.1:${this.#healthPort}/routes`)).json() as ReturnType<
      PlaneRouter["routes"]
    >;
  }

  /** Whether what it would start with, were it killed now, has a machine in that state. */
  async hasSaved(machineId: string, state: string): Promise<boolean> {
    const saved = await Projection.lastSaved(join(this.#folder, "checkpoints"), FLEET_FOLD);
    return saved !== undefined && findMachine(saved.state, machineId)?.machine?.state === state;
  }

  /** It is killed, and another one starts with what it had written by then. */
  async replace(): Promise<void> {
    const kept = `${this.#folder}.kept`;
    await cp(this.#folder, kept, { recursive: true });
    this.#tap.cut();
    await this.stop();
    await rm(this.#folder, { recursive: true });
    await cp(kept, this.#folder, { recursive: true });
    await rm(kept, { recursive: true });
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
    this.#service = undefined;
    this.#tap.cut();
  }
}
