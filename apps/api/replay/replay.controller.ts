import { Readable } from "node:stream";
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { REQUEST_BUDGET_MS } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { QUERIES } from "./queries.ts";
import type { Question } from "./question.ts";
import { ReplayThread } from "./replay-thread.ts";

/** Making a slice small tries it again and again. */
const EXPORT_BUDGET_MS = 120_000;

/** History for the console: `libs/contracts/replay-json.ts` says what each answers. */
@Controller("drover/v1/replay")
export class ReplayController {
  constructor(@Inject(ReplayThread) private readonly thread: ReplayThread) {}

  @Get("extent")
  extent(@Req() request: FastifyRequest, @Res() response: FastifyReply) {
    return this.#answer({ ask: "extent" }, request, response);
  }

  @Get("at")
  at(@Query() query: unknown, @Req() request: FastifyRequest, @Res() response: FastifyReply) {
    return this.#answer(parse(QUERIES.at, query, "query"), request, response);
  }

  @Get("steps")
  steps(@Query() query: unknown, @Req() request: FastifyRequest, @Res() response: FastifyReply) {
    return this.#answer(parse(QUERIES.steps, query, "query"), request, response);
  }

  @Get("entity")
  entity(@Query() query: unknown, @Req() request: FastifyRequest, @Res() response: FastifyReply) {
    return this.#answer(parse(QUERIES.entity, query, "query"), request, response);
  }

  @Get("diff")
  diff(@Query() query: unknown, @Req() request: FastifyRequest, @Res() response: FastifyReply) {
    return this.#answer(parse(QUERIES.diff, query, "query"), request, response);
  }

  @Get("why")
  why(@Query() query: unknown, @Req() request: FastifyRequest, @Res() response: FastifyReply) {
    return this.#answer(parse(QUERIES.why, query, "query"), request, response);
  }

  @Get("violations")
  violations(@Query() query: unknown, @Req() request: FastifyRequest, @Res() response: FastifyReply) {
    return this.#answer(parse(QUERIES.violations, query, "query"), request, response);
  }

  @Post("export")
  @HttpCode(200)
  export(@Body() body: unknown, @Req() request: FastifyRequest, @Res() response: FastifyReply) {
    const question = parse(QUERIES.export, body ?? {}, "body");
    return this.#answer(question, request, response, EXPORT_BUDGET_MS);
  }

  /** NDJSON: every event of a stretch as the logs hold it, in causal order. */
  @Get("log")
  async log(@Query() query: unknown, @Res() response: FastifyReply): Promise<void> {
    const question = parse(QUERIES.log, query, "query");
    const signal = goneSignal(response);
    const parts = this.thread.parts(question, { mayGzip: false, deadlineMs: REQUEST_BUDGET_MS, signal });
    // A refusal shall be the answer, not the end of one: the first part comes before the headers go.
    const first = await parts.next();
    const lines = Readable.from(
      (async function* () {
        if (first.done !== true) yield first.value;
        yield* parts;
      })(),
    );
    await response.header("content-type", "application/x-ndjson").send(lines);
  }

  async #answer(
    question: Question,
    request: FastifyRequest,
    response: FastifyReply,
    deadlineMs = REQUEST_BUDGET_MS,
  ): Promise<void> {
    const mayGzip = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
    const signal = goneSignal(response);
    const { body, isGzipped } = await this.thread.ask(question, { mayGzip, deadlineMs, signal });
    response.headers({
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      vary: "accept-encoding",
      ...(isGzipped ? { "content-encoding": "gzip" } : {}),
    });
    await response.send(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  }
}

/** Fires when the client goes away before it has its answer. */
function goneSignal(response: FastifyReply): AbortSignal {
  const gone = new AbortController();
  response.raw.once("close", () => gone.abort());
  return gone.signal;
}
