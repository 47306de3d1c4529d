import { type CallMeta, hostnameToken } from "#contracts";
import type { AppRecord, HostnameHolder } from "#control";
import type { ControlCommands } from "#fleet";
import { type Clock, type Position, RefusedError, refusal } from "#kernel";
import type { FleetReader } from "../fleet/fleet-reader.ts";

/** The hostnames that apps answer for beside their own name. */
export class Hostnames {
  readonly #fleet: FleetReader;
  readonly #control: ControlCommands;
  readonly #clock: Clock;

  constructor(fleet: FleetReader, control: ControlCommands, clock: Clock) {
    this.#fleet = fleet;
    this.#control = control;
    this.#clock = clock;
  }

  /** An app's hostnames, by name. */
  of(app: AppRecord): HostnameHolder[] {
    return [...this.#fleet.control.hostnames.values()]
      .filter(({ appId }) => appId === app.id)
      .sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
  }

  /** One of an app's hostnames. Nobody is told that it is not there because a projection lacks it. Throws `not_found`. */
  async one(app: AppRecord, hostname: string): Promise<HostnameHolder> {
    const known = this.#fleet.control.hostnames.get(hostname);
    const holder = known?.appId === app.id ? known : await this.#inControl(hostname);
    if (holder?.appId === app.id) return holder;
    throw new RefusedError(refusal("not_found", `app ${app.name} has no hostname ${hostname}`));
  }

  /** Takes a hostname for an app; one whose app was deleted is free. Throws `name_taken`. */
  async claim(app: AppRecord, hostname: string, meta: CallMeta): Promise<Position> {
    const { name: appName, id: appId } = app;
    const command = { type: "ClaimHostname", hostname, appName, appId, atMs: this.#clock.nowMs() } as const;
    try {
      return (await this.#control.execute(command, meta)).position;
    } catch (thrown) {
      const goneAppId = await this.#goneHolder(thrown);
      if (goneAppId === undefined) throw thrown;
      return (await this.#control.execute({ ...command, goneAppId }, meta)).position;
    }
  }

  /** Gives an app's hostname up. Throws `not_found`. */
  async release(app: AppRecord, hostname: string, meta: CallMeta): Promise<Position> {
    const { appName, appId } = await this.one(app, hostname);
    return (await this.#control.execute({ type: "ReleaseHostname", hostname, appName, appId }, meta))
      .position;
  }

  /** The app that a refusal names as the holder, when it was deleted meanwhile. */
  async #goneHolder(thrown: unknown): Promise<string | undefined> {
    if (!(thrown instanceof RefusedError) || thrown.refusal.code !== "name_taken") return undefined;
    const { appName, appId } = thrown.refusal.details as Pick<HostnameHolder, "appName" | "appId">;
    const app = (await this.#control.load("app", appName)).apps.get(appName);
    return app?.deleted === false && app.id === appId ? undefined : appId;
  }

  async #inControl(hostname: string): Promise<HostnameHolder | undefined> {
    return (await this.#control.load("hostname", hostnameToken(hostname))).hostnames.get(hostname);
  }
}
