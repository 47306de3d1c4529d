import { type IncomingMessage, request } from "node:http";
import { pause } from "./parts.ts";

/** What came of a request through a router. */
export interface Visit {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** GET `path` of an app through the router at a port, on a connection of its own. */
export function visit(port: number, app: string, path = "/"): Promise<Visit> {
  return new Promise((done, fail) => {
    const headers = { host: `${app}.localhost:${port}` };
    const sent = request({ host: "127.0.0.1", port, path, headers, agent: false }, (answer) => {
      read(answer).then((body) => done({ status: answer.statusCode!, headers: answer.headers, body }), fail);
    });
    sent.once("error", fail);
    sent.end();
  });
}

async function read(answer: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of answer.setEncoding("utf8")) body += chunk;
  return body;
}

/** How visits ended, counted: by status, or by the error's code. */
export type Counts = Readonly<Record<string, number>>;

/** Visits that begin at an even pace, whether or not the ones before them have ended: nobody waits for a slow server. */
export class SteadyVisits {
  readonly #ports: readonly number[];
  readonly #app: string;
  readonly #everyMs: number;
  readonly #counts = new Map<number, Map<string, number>>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  readonly #run: Promise<void>;

  /** `ports`: of the routers that take turns. */
  constructor(ports: readonly number[], app: string, perSecond: number) {
    this.#ports = ports;
    this.#app = app;
    this.#everyMs = 1_000 / perSecond;
    this.#run = this.#go();
  }

  /** So far, through one router. */
  through(port: number): Counts {
    return Object.fromEntries(this.#counts.get(port) ?? []);
  }

  /** Resolves when `count` more visits through a router were answered 200. */
  async answered(port: number, count: number): Promise<void> {
    const enough = (this.through(port)["200"] ?? 0) + count;
    while ((this.through(port)["200"] ?? 0) < enough) await pause(20);
  }

  /** Begins no more, and waits for those under way. What was counted, through all routers. */
  async end(): Promise<Counts> {
    this.#ending.abort();
    await this.#run;
    await Promise.all(this.#underWay);
    const sum: Record<string, number> = {};
    for (const counts of this.#counts.values()) {
      for (const [how, count] of counts) sum[how] = (sum[how] ?? 0) + count;
    }
    return sum;
  }

  async #go(): Promise<void> {
    const beganAt = performance.now();
    for (let begun = 0; !this.#ending.signal.aborted; begun += 1) {
      const due = beganAt + begun * this.#everyMs - performance.now();
      if (due > 0) await pause(due);
      this.#visit(this.#ports[begun % this.#ports.length]!);
    }
  }

  #visit(port: number): void {
    const visited = visit(port, this.#app).then(
      ({ status }) => this.#count(port, String(status)),
      (error: NodeJS.ErrnoException) => this.#count(port, error.code ?? error.message),
    );
    this.#underWay.add(visited);
    void visited.finally(() => this.#underWay.delete(visited));
  }

  #count(port: number, how: string): void {
    const counts = this.#counts.get(port) ?? new Map<string, number>();
    this.#counts.set(port, counts.set(how, (counts.get(how) ?? 0) + 1));
  }
}
