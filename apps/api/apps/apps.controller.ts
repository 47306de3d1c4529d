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
import type { AppRecord, ControlCommand } from "#control";
import { ControlCommands } from "#fleet";
import { Clock, Ids } from "#kernel";
import { isTerminal } from "#machines";
import { isGone } from "#volumes";
import { FleetLists } from "../fleet/fleet-lists.ts";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { metaOf, setPosition, setSource } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { appNameSchema } from "../machines/requests.ts";

/** `app_name` is what Fly's older clients send. */
const createAppSchema = z
  .looseObject({
    name: appNameSchema.optional(),
    app_name: appNameSchema.optional(),
    org_slug: z.string().max(100).default("personal"),
    network: z.string().max(100).default("default"),
  })
  .refine((body) => body.name !== undefined || body.app_name !== undefined, "name is missing");

@Controller("v1/apps")
export class AppsController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(FleetLists) private readonly lists: FleetLists,
    @Inject(ControlCommands) private readonly control: ControlCommands,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  @Post()
  @HttpCode(201)
  async create(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
    @Body() body: unknown,
  ) {
    const { name, app_name: olderName, org_slug: orgSlug, network } = parse(createAppSchema, body, "body");
    const appName = (name ?? olderName)!;
    const appId = this.ids.ulid();
    const atMs = this.clock.nowMs();
    const command = { type: "CreateApp", appName, appId, orgSlug, network, atMs } as const;
    await this.#execute(command, request, response);
    return { id: appId, created_at: atMs };
  }

  @Get()
  async list(
    @Query("org_slug") orgSlug: string | undefined,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const { items, fromMemory } = await this.lists.apps(orgSlug);
    setSource(response, fromMemory);
    const apps = items.map(({ app, machineCount }) =>
      appJson(app, machineCount, this.#volumeCount(app.name)),
    );
    return { apps, total_apps: apps.length };
  }

  @Get(":appName")
  async show(@Param("appName") appName: string) {
    const app = await this.fleet.app(appName);
    return appJson(app, this.#machineCount(appName), this.#volumeCount(appName));
  }

  @Delete(":appName")
  @HttpCode(202)
  async delete(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
    @Param("appName") appName: string,
  ) {
    await this.fleet.app(appName);
    const counts = { machineCount: this.#machineCount(appName), volumeCount: this.#volumeCount(appName) };
    const command = { type: "DeleteApp", appName, ...counts } as const;
    await this.#execute(command, request, response);
    return { ok: true };
  }

  async #execute(command: ControlCommand, request: FastifyRequest, response: FastifyReply): Promise<void> {
    const { position } = await this.control.execute(command, metaOf(request, this.ids));
    setPosition(response, position);
    await this.fleet.reach(position);
  }

  #machineCount(appName: string): number {
    return this.fleet.machinesOf(appName).filter(({ machine }) => !isTerminal(machine.state)).length;
  }

  #volumeCount(appName: string): number {
    return this.fleet.volumesOf(appName).filter(({ volume }) => !isGone(volume)).length;
  }
}

function appJson(app: AppRecord, machineCount: number, volumeCount: number) {
  return {
    id: app.id,
    name: app.name,
    machine_count: machineCount,
    volume_count: volumeCount,
    network: app.network,
    organization: { name: app.orgSlug, slug: app.orgSlug },
    status: machineCount === 0 ? "pending" : "deployed",
  };
}
