import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { hostnameSchema } from "#contracts";
import { Ids, type Position } from "#kernel";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { metaOf, setPosition } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { certificateDetail, certificateSummary } from "./certificate-json.ts";
import { Hostnames } from "./hostnames.ts";

const claimSchema = z.looseObject({ hostname: hostnameSchema });
const listSchema = z.looseObject({
  filter: z.string().max(253).default(""),
  /** The last hostname of the page before. */
  cursor: z.string().max(253).default(""),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

/** An app's hostnames, where the Machines API has its certificates: as yet without any. */
@Controller("v1/apps/:appName/certificates")
export class CertificatesController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(Hostnames) private readonly hostnames: Hostnames,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  @Get()
  async list(@Param("appName") appName: string, @Query() query: unknown) {
    const { filter, cursor, limit } = parse(listSchema, query, "query");
    const all = this.hostnames
      .of(await this.fleet.app(appName))
      .filter(({ hostname }) => hostname.includes(filter));
    const rest = all.filter(({ hostname }) => hostname > cursor);
    const page = rest.slice(0, limit);
    const next = rest.length > limit ? { next_cursor: page.at(-1)?.hostname } : {};
    return { certificates: page.map(certificateSummary), total_count: all.length, ...next };
  }

  /** `acme`: the path that clients know. Nothing is requested there, and the answer says so. */
  @Post(["", "acme"])
  @HttpCode(201)
  async claim(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
    @Param("appName") appName: string,
    @Body() body: unknown,
  ) {
    const { hostname } = parse(claimSchema, body, "body");
    const app = await this.fleet.app(appName);
    await this.#done(await this.hostnames.claim(app, hostname, metaOf(request, this.ids)), response);
    return certificateDetail(await this.hostnames.one(app, hostname));
  }

  @Get(":hostname")
  async show(@Param("appName") appName: string, @Param("hostname") given: string) {
    const hostname = parse(hostnameSchema, given, "hostname");
    return certificateDetail(await this.hostnames.one(await this.fleet.app(appName), hostname));
  }

  @Post(":hostname/check")
  @HttpCode(200)
  async check(@Param("appName") appName: string, @Param("hostname") given: string) {
    return this.show(appName, given);
  }

  @Delete(":hostname")
  @HttpCode(204)
  async release(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
    @Param("appName") appName: string,
    @Param("hostname") given: string,
  ): Promise<void> {
    const hostname = parse(hostnameSchema, given, "hostname");
    const app = await this.fleet.app(appName);
    await this.#done(await this.hostnames.release(app, hostname, metaOf(request, this.ids)), response);
  }

  async #done(position: Position, response: FastifyReply): Promise<void> {
    setPosition(response, position);
    await this.fleet.reach(position);
  }
}
