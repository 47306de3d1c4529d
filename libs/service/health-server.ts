import { createServer, type Server } from "node:http";
import { RefusedError, refusal } from "#kernel";
import type { Metrics } from "./metrics.ts";

/** Proves that one thing works which the process will use. Throws what is wrong. */
export type ReadinessCheck = () => void | Promise<void>;

const CHECK_TIMEOUT_MS = 1_500;

/**
 * `/healthz`: the process lives. `/readyz`: it can do its work, by trying (F11). `/metrics`: its numbers. Beside these,
 * what the process shows of itself.
 */
export class HealthServer {
  readonly #checks = new Map<string, ReadinessCheck>();
  readonly #pages = new Map<string, () => unknown>();
  readonly #details = new Map<string, () => unknown>();
  readonly #metrics: Metrics;
  readonly #server: Server;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.#server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", "http://localhost").pathname;
      void this.answer(path).then(({ status, type, body }) => {
        response.writeHead(status, { "content-type": type });
        response.end(body);
      });
    });
  }

  /** Adds what has to work for the process to be ready. */
  require(name: string, check: ReadinessCheck): void {
    this.#checks.set(name, check);
  }

  /** Adds what `/readyz` says of a process that is ready, under `name`; what `read` returns may be a promise. */
  tell(name: string, read: () => unknown): void {
    this.#details.set(name, read);
  }

  /** Shows what `read` returns at `path`, as JSON. */
  show(path: string, read: () => unknown): void {
    this.#pages.set(path, read);
  }

  /** Throws a refusal `port_taken` when somebody else listens there. */
  async listen(at: { readonly host: string; readonly port: number }): Promise<void> {
    await new Promise<void>((done, fail) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => {
        const taken = refusal("port_taken", `${at.host}:${at.port} is taken by another process`);
        fail(error.code === "EADDRINUSE" ? new RefusedError(taken) : error);
      });
      this.#server.listen(at.port, at.host, done);
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** The answer to one path, for processes that serve HTTP themselves. Never throws. */
  async answer(path: string): Promise<{ status: number; type: string; body: string }> {
    if (path === "/healthz") return json(200, { status: "ok" });
    if (path === "/metrics")
      return { status: 200, type: "text/plain; version=0.0.4", body: this.#metrics.text() };
    const page = this.#pages.get(path);
    if (page !== undefined) return json(200, page());
    if (path !== "/readyz") return json(404, { error: "not found", status: "not_found" });
    const failures = await this.#failures();
    if (Object.keys(failures).length > 0) return json(503, { status: "not ready", failures });
    return json(200, { status: "ready", checks: [...this.#checks.keys()], ...(await this.#told()) });
  }

  async #told(): Promise<Record<string, unknown>> {
    const details = [...this.#details].map(async ([name, read]) => {
      const reading = async () => read();
      return [name, await withTimeout(reading()).catch((error: Error) => error.message)] as const;
    });
    return Object.fromEntries(await Promise.all(details));
  }

  async #failures(): Promise<Record<string, string>> {
    const failures: Record<string, string> = {};
    await Promise.all(
      [...this.#checks].map(async ([name, check]) => {
        try {
          await withTimeout(check());
        } catch (error) {
          failures[name] = error instanceof Error ? error.message : String(error);
        }
      }),
    );
    return failures;
  }
}

async function withTimeout<T>(work: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function json(status: number, value: unknown): { status: number; type: string; body: string } {
  return { status, type: "application/json", body: `${JSON.stringify(value)}\n` };
}
