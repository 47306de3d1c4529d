import { Readable } from "node:stream";
import { Controller, Get, Inject, Query, Res } from "@nestjs/common";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { SUBJECT_TOKEN, VOCABULARY } from "#contracts";
import { parsePosition } from "#kernel";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { parse } from "../http/parse.ts";
import { type FeedLine, type FeedWish, FollowEvents } from "./follow-events.ts";

const id = z.string().regex(SUBJECT_TOKEN);
const querySchema = z.looseObject({
  machine: id.optional(),
  app: z.string().optional(),
  host: id.optional(),
  type: z
    .string()
    .refine((type) => (VOCABULARY.types() as readonly string[]).includes(type), "no event has that type")
    .optional(),
  tail: z.coerce.number().int().min(0).max(50).default(0),
  after: z
    .string()
    .transform((text, context) => {
      const position = parsePosition(text);
      if (position === undefined)
        context.addIssue({ code: "custom", message: "not a position (LOG:SEQUENCE,…)" });
      return position;
    })
    .optional(),
});

/** Drover's own: every event as it happens. */
@Controller("drover/v1/events")
export class EventsController {
  constructor(
    @Inject(FollowEvents) private readonly events: FollowEvents,
    @Inject(FleetReader) private readonly fleet: FleetReader,
  ) {}

  /** NDJSON (`FeedLine`), until the client goes away or is too slow. */
  @Get()
  async follow(@Query() query: unknown, @Res() response: FastifyReply): Promise<void> {
    const { machine: machineId, app: appName, host: hostId, ...more } = parse(querySchema, query, "query");
    const wish: FeedWish = {
      machineId,
      appName,
      hostId,
      type: more.type,
      after: more.after,
      tail: more.tail,
    };
    // Whoever goes on where he was may have seen the end of it.
    if (wish.after === undefined) await this.#assertThere(wish);
    const gone = new AbortController();
    response.raw.once("close", () => gone.abort("the client went away"));
    const lines = Readable.from(ndjson(this.events.lines(wish, gone.signal)));
    await response.header("content-type", "application/x-ndjson").send(lines);
  }

  /** Nobody waits for ever for what is only misspelt. */
  async #assertThere({ appName, hostId }: FeedWish): Promise<void> {
    if (appName !== undefined) await this.fleet.app(appName);
    if (hostId !== undefined) this.fleet.hostOf(hostId);
  }
}

async function* ndjson(lines: AsyncIterable<FeedLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}
