import { createServer } from "node:net";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import type { FastifyInstance } from "fastify";
import type { RecordedEvent } from "#contracts";
import { RefusedError, SeededIds, SimulatedClock, SystemClock } from "#kernel";
import { ListedHistory, Timeline } from "#timeline";
import { serveConsole } from "../../apps/api/console/serve-console.ts";
import { parse } from "../../apps/api/http/parse.ts";
import { statusOf } from "../../apps/api/http/status-of.ts";
import { Investigator } from "../../apps/api/replay/investigator.ts";
import { QUERIES } from "../../apps/api/replay/queries.ts";
import type { Question } from "../../apps/api/replay/question.ts";
import { Survey } from "../../apps/api/replay/survey.ts";

/** Answers a question about history. */
export type Answer = (
  question: Exclude<Question, { readonly ask: "log" }>,
  signal: AbortSignal,
) => Promise<unknown>;

export const TOKEN = "fixture-token";

/** Answers from a list of events, by the API's own code. Looking for violations has come to the end. */
export async function answersFrom(events: readonly RecordedEvent[]): Promise<Answer> {
  const timeline = new Timeline({ history: new ListedHistory(events), onUnreadable: () => undefined });
  const clock = new SystemClock();
  const stopping = new AbortController();
  const survey = new Survey(timeline, clock, () => undefined);
  const looking = survey.run(stopping.signal);
  while (!survey.findings().isDone) await clock.sleep(20);
  stopping.abort();
  await looking;
  const findings = survey.findings();
  const findTrace = async () => undefined;
  const investigator = new Investigator({ timeline, clock, findTrace, findings: () => findings });
  return (question, signal) => investigator.answer(question, signal);
}

/**
 * The API as far as the console needs it, without a cluster: the built page, answers about a history, and a feed that
 * tells when something has happened. It can go away and come back on the same port.
 */
export class ReplayServer {
  #fastify: FastifyInstance | undefined;
  #answer: Answer;
  readonly #followers = new Set<{ write(line: string): unknown }>();
  readonly #port: number;
  readonly #page: string;

  /** `page`: the folder that the build made. */
  static async start(answer: Answer, page: string): Promise<ReplayServer> {
    const server = new ReplayServer(answer, page, await freePort());
    await server.comeBack();
    return server;
  }

  private constructor(answer: Answer, page: string, port: number) {
    this.#answer = answer;
    this.#page = page;
    this.#port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** History has become longer. */
  happened(answer: Answer): void {
    this.#answer = answer;
    for (const follower of this.#followers) follower.write(`{"kind":"event"}\n`);
  }

  async goAway(): Promise<void> {
    const fastify = this.#fastify;
    this.#fastify = undefined;
    fastify?.server.closeAllConnections();
    await fastify?.close();
  }

  async comeBack(): Promise<void> {
    const fastify = new FastifyAdapter().getInstance<FastifyInstance>();
    this.#fastify = fastify;
    serveConsole(fastify, this.#page, new SeededIds(new SimulatedClock(), 1));
    this.#route(fastify);
    await fastify.listen({ port: this.#port, host: "127.0.0.1" });
  }

  #route(fastify: FastifyInstance): void {
    fastify.addHook("onRequest", async (request, reply) => {
      const isOurs = request.headers.authorization === `Bearer ${TOKEN}`;
      if (request.url.startsWith("/drover/") && !isOurs) {
        return reply.status(401).send({ error: "this token is not known", status: "unauthorized" });
      }
    });
    fastify.get("/drover/v1/events", (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { "content-type": "application/x-ndjson" });
      reply.raw.write(`{"kind":"position","position":""}\n`);
      this.#followers.add(reply.raw);
      reply.raw.once("close", () => this.#followers.delete(reply.raw));
    });
    fastify.get<{ Params: { ask: string } }>("/drover/v1/replay/:ask", ({ params, query }) =>
      this.#ask(params.ask, query),
    );
    fastify.post("/drover/v1/replay/export", ({ body }) => this.#ask("export", body));
    fastify.setErrorHandler((error, _request, reply) => {
      if (!(error instanceof RefusedError)) throw error;
      const { code, message } = error.refusal;
      return reply.status(statusOf(error.refusal)).send({ error: message, status: code });
    });
  }

  #ask(name: string, asked: unknown): Promise<unknown> {
    const schema = Object.entries(QUERIES).find(([each]) => each === name)?.[1];
    const question = schema === undefined ? { ask: "extent" as const } : parse(schema, asked, "query");
    if (question.ask === "log") throw new Error("the console reads no log");
    return this.#answer(question, new AbortController().signal);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
