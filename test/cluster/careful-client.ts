import type { ApiAnswer, ShownMachine, TestCluster } from "#testing";
import { pause } from "./parts.ts";

/** What a client may be told while services die, and tries again after. */
const PASSING = new Set(["unreachable", "deadline_exceeded", "busy", "cancelled"]);
const PAUSE_MS = 250;

interface Failed {
  readonly error: string;
  readonly status: string;
}

/** Thrown for an answer that no death excuses. */
export class UnexpectedAnswer extends Error {}

/** A client that repeats what was not answered, or not done yet. Creates carry a key, so that a repeat is no second one. */
export class CarefulClient {
  readonly #cluster: TestCluster;
  /** How often it had to ask again. */
  repeats = 0;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  async create(app: string, name: string, body: Record<string, unknown>): Promise<ShownMachine> {
    const key = { "idempotency-key": `${app}-${name}` };
    return this.ask<ShownMachine>("POST", `/v1/apps/${app}/machines`, { name, ...body }, key);
  }

  async command(app: string, id: string, verb: "start" | "stop" | "restart" | "destroy"): Promise<void> {
    const path = `/v1/apps/${app}/machines/${id}`;
    if (verb === "destroy") await this.ask("DELETE", `${path}?force=true`);
    else await this.ask("POST", `${path}/${verb}`, verb === "stop" ? { signal: "SIGTERM" } : undefined);
  }

  async reaches(app: string, id: string, state: string): Promise<void> {
    await this.ask("GET", `/v1/apps/${app}/machines/${id}/wait?state=${state}&timeout=30`);
  }

  async machine(app: string, id: string): Promise<ShownMachine> {
    return this.ask<ShownMachine>("GET", `/v1/apps/${app}/machines/${id}`);
  }

  /** Asks until it is done. */
  async ask<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    for (; ; this.repeats += 1) {
      const answer = await this.#cluster.api<T | Failed>(method, path, body, headers).catch(() => undefined);
      if (answer !== undefined && answer.status < 300) return answer.body as T;
      if (answer !== undefined) assertPassing(method, path, answer as ApiAnswer<Failed>);
      await pause(PAUSE_MS);
    }
  }
}

function assertPassing(method: string, path: string, { status, body }: ApiAnswer<Failed>): void {
  if (PASSING.has(body.status)) return;
  throw new UnexpectedAnswer(`${method} ${path}: ${status} ${body.status}: ${body.error}`);
}
