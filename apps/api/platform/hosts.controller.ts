import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { durationMs, durationSchema, type hostCalls, type RequestOf } from "#contracts";
import type { Host } from "#hosts";
import { Clock, Ids } from "#kernel";
import { CommandHost } from "../fleet/command-host.ts";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { HostContact } from "../fleet/host-contact.ts";
import { callerOf, metaOf, setPosition } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { hostJson } from "./host-json.ts";

const SAID = "say it in 1 to 200 characters";
const said = z.string().trim().min(1, SAID).max(200, SAID);
/** Who: whoever holds the token, unless it is said. */
const owner = said.optional();
const cordonSchema = z.strictObject({ owner, reason: said, for: durationSchema.default("2h") });
const uncordonSchema = z.strictObject({ owner, reason: said.default("asked for") });

/** Drover's own: the servers that machines run on, and which of them take no new ones. */
@Controller("v1/platform/hosts")
export class HostsController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(HostContact) private readonly contact: HostContact,
    @Inject(CommandHost) private readonly commands: CommandHost,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  /** Asks every host whether it is there, so that the answer is of this moment. */
  @Get()
  async list(@Req() request: FastifyRequest) {
    const hosts = this.fleet.hosts();
    const meta = metaOf(request, this.ids);
    await Promise.all(hosts.map(({ id }) => this.contact.knock(id, meta)));
    return this.fleet.hosts().map((host) => this.#shown(host));
  }

  @Get(":hostId")
  async show(@Param("hostId") hostId: string, @Req() request: FastifyRequest) {
    this.fleet.hostOf(hostId);
    await this.contact.knock(hostId, metaOf(request, this.ids));
    return this.#shown(this.fleet.hostOf(hostId));
  }

  /** From now on the host takes no new machines, until the time is over or it is uncordoned. What is there goes on. */
  @Post(":hostId/cordon")
  @HttpCode(200)
  cordon(
    @Param("hostId") hostId: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const wanted = parse(cordonSchema, body ?? {}, "body");
    const expiresAtMs = Math.round(this.clock.nowMs() + durationMs(wanted.for));
    const who = wanted.owner ?? callerOf(request).actor;
    const cordon = { kind: "cordon", owner: who, reason: wanted.reason, expiresAtMs } as const;
    return this.#command(hostId, cordon, request, response);
  }

  @Post(":hostId/uncordon")
  @HttpCode(200)
  uncordon(
    @Param("hostId") hostId: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const wanted = parse(uncordonSchema, body ?? {}, "body");
    const who = wanted.owner ?? callerOf(request).actor;
    const end = { kind: "uncordon", owner: who, reason: wanted.reason } as const;
    return this.#command(hostId, end, request, response);
  }

  async #command(
    hostId: string,
    command: RequestOf<typeof hostCalls.cordon>,
    request: FastifyRequest,
    response: FastifyReply,
  ) {
    this.fleet.hostOf(hostId);
    const { position } = await this.commands.run("cordon", hostId, command, metaOf(request, this.ids));
    setPosition(response, position);
    return this.#shown(this.fleet.hostOf(hostId));
  }

  #shown(host: Host) {
    const machines = this.fleet
      .machinesOf()
      .flatMap((each) => (each.hostId === host.id ? [each.machine] : []));
    return hostJson(host, machines, this.contact);
  }
}
