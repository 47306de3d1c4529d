import {
  type AnswerOf,
  type CallMeta,
  type RequestOf,
  type Resources,
  regionsOf,
  type schedulerCalls,
} from "#contracts";
import type { Bid } from "#control";
import type { Hosts } from "./hosts.ts";

type Survey = (typeof schedulerCalls)["survey"];

/** Who is silent for longer is left out: nobody knows what he would take. */
const WINDOW_MS = 1_000;
/** Names of a machine that there is not, of an app that there is not. */
const NOBODY = { machineId: "survey", appName: "_survey" };

/** How many machines of one size the hosts of some regions would take, by their bids of this moment. */
export class SurveyRegions {
  readonly #hosts: Hosts;

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
  }

  async run({ region, resources }: RequestOf<Survey>, meta: CallMeta): Promise<AnswerOf<Survey>> {
    const regions = regionsOf(region, this.#hosts.regions());
    return { regions: await Promise.all(regions.map((name) => this.#survey(name, resources, meta))) };
  }

  async #survey(region: string, resources: Resources, meta: CallMeta) {
    const expected = this.#hosts.registeredIn(region).length;
    const wanted = { ...NOBODY, resources, ports: [] };
    const isEnough = (answers: readonly unknown[]) => answers.length >= expected;
    const answers = expected === 0 ? [] : await this.#hosts.bids(region, wanted, meta, WINDOW_MS, isEnough);
    const rooms = answers.flatMap((answer) => (answer.kind === "bid" ? roomOf(answer, resources) : []));
    return { region, machines: rooms.reduce((sum, room) => sum + room, 0), hosts: rooms.length };
  }
}

/** How many such machines a host would take, one after another. */
export function roomOf(
  {
    free,
    machineCount,
    maxMachines = Number.POSITIVE_INFINITY,
  }: Pick<Bid, "free" | "machineCount" | "maxMachines">,
  { cpuMillis, memoryMib }: Resources,
): number {
  return Math.min(
    Math.floor(free.cpuMillis / cpuMillis),
    Math.floor(free.memoryMib / memoryMib),
    maxMachines - machineCount,
  );
}
