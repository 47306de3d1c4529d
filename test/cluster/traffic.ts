import { freePort, type ShownMachine } from "#testing";
import type { CarefulClient } from "./careful-client.ts";
import { pause } from "./parts.ts";
import type { Random } from "./random.ts";

/** The images that traffic runs. */
export interface Images {
  /** Serves a word that it made up when it started. */
  readonly witness: string;
  /** Ends on SIGTERM, and not before. */
  readonly sleeper: string;
  /** Has a shell. */
  readonly shell: string;
}

const SMALL = { memory_mb: 32 };
const APPS = ["steady", "churn", "exits"] as const;

/** What has to be true of a machine once everything is at rest. */
export interface Expected {
  readonly app: string;
  readonly id: string;
  readonly state: "started" | "stopped" | "destroyed";
  readonly exitCode?: number;
}

/** People who use a cluster while it is being killed: some watch machines that must run on, some work, some run jobs. */
export class Traffic {
  readonly expected: Expected[] = [];
  /** Requests to steady machines that were not answered by the very process that was there at first. */
  readonly interruptions: string[] = [];
  /** Requests to steady machines. */
  visits = 0;
  readonly #client: CarefulClient;
  readonly #images: Images;
  readonly #random: Random;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];
  #count = 0;

  constructor(client: CarefulClient, images: Images, random: Random) {
    this.#client = client;
    this.#images = images;
    this.#random = random;
  }

  /** Resolves when machines run and people are at work. */
  async begin(counts: {
    readonly steady: number;
    readonly workers: number;
    readonly jobs: number;
  }): Promise<void> {
    for (const name of APPS) await this.#client.ask("POST", "/v1/apps", { name });
    const repeat = (times: number, act: () => Promise<void>) => Array.from({ length: times }, act);
    await Promise.all(repeat(counts.steady, () => this.#steady()));
    this.#running.push(
      ...repeat(counts.workers, () => this.#whileOpen(() => this.#work())),
      ...repeat(counts.jobs, () => this.#whileOpen(() => this.#job())),
    );
  }

  /** Everybody finishes what they are at. Throws what one of them met. */
  async end(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  async #whileOpen(act: () => Promise<void>): Promise<void> {
    while (!this.#stopping.signal.aborted) await act();
  }

  #name(): string {
    this.#count += 1;
    return `m-${this.#count}`;
  }

  /** A machine that nobody touches: its process has to outlive everything. */
  async #steady(): Promise<void> {
    const host_port = await freePort();
    const publish = [{ host_port, machine_port: 8080 }];
    const config = { image: this.#images.witness, guest: SMALL, publish };
    const { id } = await this.#client.create("steady", this.#name(), { config });
    await this.#client.reaches("steady", id, "started");
    this.expected.push({ app: "steady", id, state: "started" });
    const word = await firstWord(host_port);
    this.#running.push(this.#whileOpen(() => this.#visit(id, host_port, word)));
  }

  async #visit(id: string, port: number, word: string): Promise<void> {
    const said = await wordAt(port).catch((error: unknown) => `no answer: ${String(error)}`);
    this.visits += 1;
    if (said !== word) this.interruptions.push(`${id}: ${said} instead of ${word}`);
    await pause(50);
  }

  /** A machine's life, from a create to a rest that somebody wanted. */
  async #work(): Promise<void> {
    const stop_config = { signal: "SIGTERM", timeout: "5s" };
    const config = { image: this.#images.sleeper, guest: SMALL, stop_config };
    const { id } = await this.#client.create("churn", this.#name(), { config });
    let state: Expected["state"] = "started";
    for (let steps = this.#random.between(1, 4); steps > 0; steps -= 1) {
      const verb = this.#random.pick(["start", "stop", "restart"] as const);
      await this.#client.command("churn", id, verb);
      state = verb === "stop" ? "stopped" : "started";
      // Half of them do not wait and ask for the next thing at once.
      if (this.#random.next() < 0.5) await this.#client.reaches("churn", id, state);
    }
    if (this.#random.next() < 0.75) {
      await this.#client.command("churn", id, "destroy");
      state = "destroyed";
    }
    this.expected.push({ app: "churn", id, state });
  }

  /** A process that ends by itself after a while, whoever is there to see it. */
  async #job(): Promise<void> {
    const exitCode = this.#random.between(1, 250);
    const seconds = this.#random.between(0, 4);
    const init = { exec: ["/bin/sh", "-c", `sleep ${seconds}; exit ${exitCode}`] };
    const config = { image: this.#images.shell, guest: SMALL, init, restart: { policy: "no" } };
    const machine: ShownMachine = await this.#client.create("exits", this.#name(), { config });
    this.expected.push({ app: "exits", id: machine.id, state: "stopped", exitCode });
    await pause(this.#random.between(200, 1_500));
  }
}

/** The program inside needs a moment to listen after its process has started. */
async function firstWord(port: number): Promise<string> {
  for (;;) {
    const word = await wordAt(port).catch(() => undefined);
    if (word !== undefined) return word;
    await pause(50);
  }
}

async function wordAt(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
  return (await response.text()).trim();
}
