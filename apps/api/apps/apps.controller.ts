import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req } from "@nestjs/common";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { AppRecord } from "#control";
import { ControlCommands } from "#fleet";
import { Clock, Ids, RefusedError, refusal } from "#kernel";
import { isTerminal } from "#machines";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { metaOf } from "../http/caller.ts";
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
    @Inject(ControlCommands) private readonly control: ControlCommands,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  @Post()
  @HttpCode(201)
  async create(@Req() request: FastifyRequest, @Body() body: unknown) {
    const { name, app_name: olderName, org_slug: orgSlug, network } = parse(createAppSchema, body, "body");
    const appName = (name ?? olderName)!;
    const appId = this.ids.ulid();
    const command = {
      type: "CreateApp",
      appName,
      appId,
      orgSlug,
      network,
      atMs: this.clock.nowMs(),
    } as const;
    const { position } = await this.control.execute(command, metaOf(request, this.ids));
    await this.fleet.reach(position);
    return { id: appId, created_at: this.clock.nowMs() };
  }

  @Get()
  list(@Query("org_slug") orgSlug?: string) {
    const apps = [...this.fleet.control.apps.values()]
      .filter((app) => !app.deleted && (orgSlug === undefined || app.orgSlug === orgSlug))
      .map((app) => this.#json(app));
    return { apps, total_apps: apps.length };
  }

  @Get(":appName")
  show(@Param("appName") appName: string) {
    return this.#json(requireApp(this.fleet, appName));
  }

  @Delete(":appName")
  @HttpCode(202)
  async delete(@Req() request: FastifyRequest, @Param("appName") appName: string) {
    requireApp(this.fleet, appName);
    const command = { type: "DeleteApp", appName, machineCount: this.#machineCount(appName) } as const;
    const { position } = await this.control.execute(command, metaOf(request, this.ids));
    await this.fleet.reach(position);
    return { ok: true };
  }

  #json(app: AppRecord) {
    return {
      id: app.id,
      name: app.name,
      machine_count: this.#machineCount(app.name),
      volume_count: 0,
      network: app.network,
      organization: { name: app.orgSlug, slug: app.orgSlug },
      status: this.#machineCount(app.name) === 0 ? "pending" : "deployed",
    };
  }

  #machineCount(appName: string): number {
    return this.fleet.machinesOf(appName).filter(({ machine }) => !isTerminal(machine.state)).length;
  }
}

/** The app of that exact name (F48). Throws a refusal `not_found`. */
export function requireApp(fleet: FleetReader, appName: string): AppRecord {
  const app = fleet.control.apps.get(appName);
  if (app !== undefined && !app.deleted) return app;
  throw new RefusedError(refusal("not_found", `no app ${appName}: create it with POST /v1/apps`));
}
