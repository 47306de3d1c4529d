import { Controller, HttpCode, Inject, Param, Post, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Ids } from "#kernel";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { metaOf, setPosition } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { CommandMachine } from "./command-machine.ts";
import { machineIdSchema } from "./requests.ts";

/**
 * Whether routers may send a machine requests. A cordoned one ends what it has begun, gets nothing new, and is neither woken nor
 * stopped for want of requests; whoever cordoned it starts and stops it.
 */
@Controller("v1/apps/:appName/machines/:machineId")
export class CordonsController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(CommandMachine) private readonly commands: CommandMachine,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  @Post("cordon")
  @HttpCode(200)
  cordon(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    return this.#command("CordonMachine", appName, machineId, request, response);
  }

  @Post("uncordon")
  @HttpCode(200)
  uncordon(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    return this.#command("UncordonMachine", appName, machineId, request, response);
  }

  async #command(
    type: "CordonMachine" | "UncordonMachine",
    appName: string,
    machineId: string,
    request: FastifyRequest,
    response: FastifyReply,
  ) {
    const located = this.fleet.machineOf(appName, parse(machineIdSchema, machineId, "machine id"));
    const { position } = await this.commands.run(await located, { type }, metaOf(request, this.ids));
    setPosition(response, position);
    return { ok: true };
  }
}
