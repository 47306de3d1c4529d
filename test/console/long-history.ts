import { gunzipSync, gzipSync } from "node:zlib";
import type { RecordedEvent, ReplayAt, ReplayBucket, ReplayStep } from "#contracts";
import { applyAndCompare, World } from "#timeline";
import { stepJson } from "../../apps/api/replay/step-json.ts";
import { wholeState } from "../../apps/api/replay/whole-state.ts";
import type { Answer } from "./replay-server.ts";

const BLOCK = 2_000;
const BUCKETS = 500;

interface Block {
  readonly firstMs: number;
  readonly steps: Uint8Array;
  /** The world before its first step. */
  readonly before: Uint8Array;
}

/**
 * A history that is too long to be kept as objects in a test: folded once by the project's own fold, then packed in
 * blocks of steps, each with the world that it begins with. It answers what playing asks for.
 */
export class LongHistory {
  readonly #world = new World();
  readonly #blocks: Block[] = [];
  readonly #times: number[] = [];
  readonly #places = new Map<string, number>();
  #open: ReplayStep[] = [];
  #before: unknown = wholeState(this.#world);

  get events(): number {
    return this.#times.length;
  }

  /** Adds what happened next, in the order of time. */
  add(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      const step = stepJson(event, applyAndCompare(this.#world, event));
      this.#open.push(step);
      this.#places.set(`${step.log}:${step.sequence}`, this.#times.length);
      this.#times.push(step.atMs);
      if (this.#open.length === BLOCK) this.#close();
    }
  }

  /** Nothing more happens. */
  end(): void {
    if (this.#open.length > 0) this.#close();
  }

  readonly answer: Answer = async (question) => {
    switch (question.ask) {
      case "extent":
        return {
          firstMs: this.#times[0],
          lastMs: this.#times.at(-1),
          events: this.events,
          buckets: this.#buckets(),
        };
      case "at":
        return this.#at(this.#count(question.m));
      case "steps": {
        const { direction, m, limit } = question;
        const here = this.#count(m);
        const [from, to] = direction === "after" ? [here, here + limit] : [here - limit, here];
        const steps = this.#slice(Math.max(0, from), Math.min(this.events, to));
        return { steps, more: direction === "after" ? to < this.events : from > 0 };
      }
      case "violations":
        return { violations: [], checkedTo: this.#times.at(-1), done: true };
      case "entity":
        return { entity: question.entity, facts: {}, blame: [] };
      case "why":
        return { headline: "", causes: [], stuck: [] };
      default:
        throw new Error(`a long history does not answer ${question.ask}`);
    }
  };

  /** How many events a moment includes. */
  #count(moment: string): number {
    if (moment === "now") return this.events;
    const place = this.#places.get(moment.split("@", 1)[0]!);
    if (place !== undefined) return place + 1;
    if (!/^\d+$/.test(moment)) return this.events;
    let [low, high] = [0, this.events];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle]! <= Number(moment)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #at(count: number): ReplayAt {
    const block = Math.min(Math.floor(count / BLOCK), this.#blocks.length - 1);
    const at = unpack<ReplayAt>(this.#blocks[block]!.before);
    const kinds = { host: "hosts", machine: "machines", volume: "volumes", app: "apps" } as const;
    const facts = new Map<string, Record<string, string | number | boolean>>();
    for (const [kind, list] of Object.entries(kinds)) {
      for (const thing of at[list]) facts.set(`${kind}/${thing.id}`, { ...thing.facts });
    }
    const position = new Map(at.position.split(",").map((pair) => pair.split(":") as [string, string]));
    for (const step of this.#slice(block * BLOCK, count)) {
      position.set(step.log, String(step.sequence));
      for (const { entity, path, after } of step.changes) {
        const known = facts.get(entity) ?? {};
        facts.set(entity, known);
        if (after === undefined) delete known[path];
        else known[path] = after;
      }
    }
    const all = (kind: string) =>
      [...facts].flatMap(([entity, each]) =>
        entity.startsWith(`${kind}/`) && Object.keys(each).length > 0
          ? [{ id: entity.slice(kind.length + 1), facts: each }]
          : [],
      );
    return {
      position: [...position]
        .filter(([log]) => log !== "")
        .map((pair) => pair.join(":"))
        .join(","),
      atMs: this.#times[count - 1] ?? 0,
      ...{ hosts: all("host"), machines: all("machine"), volumes: all("volume"), apps: all("app") },
    };
  }

  #slice(from: number, to: number): ReplayStep[] {
    const steps: ReplayStep[] = [];
    for (let block = Math.floor(from / BLOCK); block * BLOCK < to; block += 1) {
      const all = unpack<ReplayStep[]>(this.#blocks[block]!.steps);
      const start = block * BLOCK;
      steps.push(...all.slice(Math.max(0, from - start), Math.max(0, to - start)));
    }
    return steps;
  }

  #buckets(): ReplayBucket[] {
    const [first, last] = [this.#times[0]!, this.#times.at(-1)!];
    const width = (last - first) / BUCKETS;
    const counts = new Array<number>(BUCKETS).fill(0);
    for (const atMs of this.#times) counts[Math.min(BUCKETS - 1, Math.floor((atMs - first) / width))]! += 1;
    return counts.map((events, place) => ({
      ...{ fromMs: first + place * width, toMs: first + (place + 1) * width },
      ...{ events, failures: 0 },
    }));
  }

  #close(): void {
    this.#blocks.push({ firstMs: this.#open[0]!.atMs, steps: pack(this.#open), before: pack(this.#before) });
    this.#open = [];
    this.#before = wholeState(this.#world);
  }
}

function pack(json: unknown): Uint8Array {
  return gzipSync(JSON.stringify(json), { level: 1 });
}

function unpack<T>(packed: Uint8Array): T {
  return JSON.parse(gunzipSync(packed).toString()) as T;
}
