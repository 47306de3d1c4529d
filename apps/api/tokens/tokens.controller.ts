import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req } from "@nestjs/common";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { durationMs, durationSchema } from "#contracts";
import type { Token } from "#control";
import { ControlCommands } from "#fleet";
import { Clock, Ids } from "#kernel";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { metaOf } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { formatToken, hashOf } from "./tokens.ts";

const createTokenSchema = z.strictObject({
  name: z.string().min(1).max(100),
  expires_in: durationSchema.optional(),
});
const SECRET_BYTES = 24;

/** Drover's own: Fly's tokens are macaroons, made elsewhere. */
@Controller("drover/v1/tokens")
export class TokensController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(ControlCommands) private readonly control: ControlCommands,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  /** The only moment at which the secret is known to anybody but its holder. */
  @Post()
  async create(@Req() request: FastifyRequest, @Body() body: unknown) {
    const wanted = parse(createTokenSchema, body, "body");
    const atMs = this.clock.nowMs();
    const tokenId = this.ids.ulid();
    const token = formatToken(tokenId, this.ids.randomHex(SECRET_BYTES));
    const expiry =
      wanted.expires_in === undefined ? {} : { expiresAtMs: atMs + durationMs(wanted.expires_in) };
    const secretHash = hashOf(token);
    const command = { type: "CreateToken", tokenId, name: wanted.name, secretHash, atMs, ...expiry } as const;
    const { position, state } = await this.control.execute(command, metaOf(request, this.ids));
    await this.fleet.reach(position);
    return { ...tokenJson(state.tokens.get(tokenId)!), token };
  }

  @Get()
  list() {
    return [...this.fleet.control.tokens.values()].map(tokenJson);
  }

  @Delete(":tokenId")
  @HttpCode(200)
  async revoke(@Req() request: FastifyRequest, @Param("tokenId") tokenId: string) {
    const command = { type: "RevokeToken", tokenId: parse(z.ulid(), tokenId, "token id") } as const;
    const { position } = await this.control.execute(command, metaOf(request, this.ids));
    await this.fleet.reach(position);
    return { ok: true };
  }
}

function tokenJson(token: Token) {
  return {
    id: token.id,
    name: token.name,
    created_at: new Date(token.createdAtMs).toISOString(),
    ...(token.expiresAtMs === undefined ? {} : { expires_at: new Date(token.expiresAtMs).toISOString() }),
    revoked: token.revoked,
  };
}
