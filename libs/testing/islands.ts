import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { SystemClock, SystemIds } from "#kernel";
import { toolPath } from "./tool.ts";

const run = promisify(execFile);
const ids = new SystemIds(new SystemClock());

/** Where one end of a cut is: an island by its name, or the hub. */
export type Shore = string;
export const HUB_SHORE: Shore = "hub";

/**
 * Network namespaces on a bridge of their own, for servers that shall be cut off from each other, in one direction, too.
 * Packets are dropped without a word, as a broken switch does. Needs root.
 */
export class Islands {
  readonly #tag: string;
  readonly #net: string;
  readonly #names: readonly string[];
  #cuts = 0;

  static async make(names: readonly string[]): Promise<Islands> {
    const islands = new Islands(ids.randomHex(3), names);
    try {
      await islands.#build();
      return islands;
    } catch (error) {
      await islands.remove();
      throw error;
    }
  }

  private constructor(tag: string, names: readonly string[]) {
    this.#tag = tag;
    this.#names = names;
    this.#net = `10.${100 + Math.floor(ids.random() * 40)}.${Math.floor(ids.random() * 256)}`;
  }

  /** For what the hub's links connect to. Whoever connects to an island from here has another address. */
  get hubAddress(): string {
    return `${this.#net}.1`;
  }

  addressOf(island: string): string {
    return `${this.#net}.${10 + this.#index(island)}`;
  }

  /** What starts a program there. */
  commandIn(island: string): readonly string[] {
    return [toolPath("ip"), "netns", "exec", this.#netnsOf(island)];
  }

  /** Drops whatever `from` sends to `to`. Returns the way to heal it. */
  async cut(from: Shore, to: Shore): Promise<() => Promise<void>> {
    this.#cuts += 1;
    const table = `cut_${this.#cuts}`;
    const isOutgoing = from !== HUB_SHORE;
    const inside = this.commandIn(isOutgoing ? from : to);
    const nft = (...words: string[]) => execute([...inside, toolPath("nft"), ...words]);
    const hook = isOutgoing ? "output" : "input";
    const rule = isOutgoing ? ["daddr", this.#addressOf(to)] : ["saddr", this.#addressOf(from)];
    await nft("add", "table", "inet", table);
    await nft("add", "chain", "inet", table, "drops", `{ type filter hook ${hook} priority 0; }`);
    await nft("add", "rule", "inet", table, "drops", "ip", ...rule, "drop");
    return async () => {
      await nft("delete", "table", "inet", table);
    };
  }

  /** What runs in the namespaces has to have ended. */
  async remove(): Promise<void> {
    for (const island of this.#names) await ip("netns", "del", this.#netnsOf(island)).catch(() => undefined);
    await ip("link", "del", this.#bridge).catch(() => undefined);
  }

  async #build(): Promise<void> {
    await ip("link", "add", this.#bridge, "type", "bridge");
    // The first one is what connections from here come from: they are not the hub's links.
    for (const last of [254, 1]) await ip("addr", "add", `${this.#net}.${last}/24`, "dev", this.#bridge);
    await ip("link", "set", this.#bridge, "up");
    for (const island of this.#names) await this.#settle(island);
  }

  async #settle(island: string): Promise<void> {
    const netns = this.#netnsOf(island);
    const link = `dri${this.#tag}${this.#index(island)}`;
    await ip("netns", "add", netns);
    await ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", netns);
    await ip("link", "set", link, "master", this.#bridge, "up");
    await ip("-n", netns, "addr", "add", `${this.addressOf(island)}/24`, "dev", "eth0");
    for (const device of ["lo", "eth0"]) await ip("-n", netns, "link", "set", device, "up");
  }

  #addressOf(shore: Shore): string {
    return shore === HUB_SHORE ? this.hubAddress : this.addressOf(shore);
  }

  #netnsOf(island: string): string {
    return `drover-island-${this.#tag}-${island}`;
  }

  get #bridge(): string {
    return `dri${this.#tag}`;
  }

  #index(island: string): number {
    const index = this.#names.indexOf(island);
    if (index < 0) throw new Error(`there is no island ${island}`);
    return index;
  }
}

async function ip(...words: readonly string[]): Promise<void> {
  await execute([toolPath("ip"), ...words]);
}

async function execute([program, ...words]: readonly string[]): Promise<void> {
  await run(program!, words);
}
