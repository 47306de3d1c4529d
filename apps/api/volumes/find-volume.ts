import type { BusClient } from "#bus";
import { type AnswerOf, type CallMeta, hostCalls, subjects } from "#contracts";
import { RefusedError, refusal } from "#kernel";
import type { Volume } from "#volumes";
import type { FleetReader, LocatedVolume } from "../fleet/fleet-reader.ts";
import type { Usage } from "./volume-json.ts";

type Told = AnswerOf<typeof hostCalls.getVolume>;

/** How long a host may take to say what it has. */
const ASK_MS = 1_500;

/** One volume of an app, by what is known of it or by its host's own word. */
export class FindVolume {
  readonly #fleet: FleetReader;
  readonly #bus: BusClient;

  constructor(fleet: FleetReader, bus: BusClient) {
    this.#fleet = fleet;
    this.#bus = bus;
  }

  /** Throws a refusal `volume_not_found`, or `unreachable` where nobody can tell. */
  async run(appName: string, volumeId: string, meta: CallMeta): Promise<LocatedVolume> {
    const located = this.#fleet.volume(volumeId) ?? (await this.askOwner(volumeId, meta));
    if (located !== undefined && located.volume.appName === appName) return located;
    await this.#fleet.app(appName);
    throw new RefusedError(refusal("volume_not_found", `no volume ${volumeId} in app ${appName}`));
  }

  /** The volume by the word of CONTROL and of its host: nobody is told that there is none because a projection lacks it. */
  async askOwner(volumeId: string, meta: CallMeta): Promise<LocatedVolume | undefined> {
    const hostId = await this.#fleet.hostOfVolume(volumeId);
    if (hostId === undefined) return undefined;
    const told = await this.#ask(hostId, volumeId, meta);
    if (told.kind === "answer") return { volume: told.answer.volume as unknown as Volume, hostId };
    if (told.refusal.code === "volume_not_found" || told.refusal.code === "not_found") return undefined;
    throw new RefusedError(told.refusal);
  }

  /** How full it is; undefined when its host does not tell in time. */
  async usageOf({ volume, hostId }: LocatedVolume, meta: CallMeta): Promise<Usage | undefined> {
    const told = await this.#ask(hostId, volume.id, meta);
    return told.kind === "answer" ? (told.answer as Told).usage : undefined;
  }

  #ask(hostId: string, volumeId: string, meta: CallMeta) {
    const subject = subjects.hostCommand(hostId, "get-volume");
    return this.#bus.call(hostCalls.getVolume, subject, { volumeId }, { ...meta, deadlineMs: ASK_MS });
  }
}
