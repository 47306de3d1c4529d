import { Body, Controller, Get, HttpCode, Inject, Post, Req } from "@nestjs/common";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { BusClient } from "#bus";
import { guestSchema, regionsSchema, resourcesOf, schedulerCalls, subjects } from "#contracts";
import { Ids, RefusedError } from "#kernel";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { metaOf } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { ApiSettings } from "../settings.ts";
import { shareOut } from "./share-out.ts";

/** `performance-1x`, the default of the Machines API here and only here. */
const DEFAULT_COMPUTE = { cpu_kind: "performance", cpus: 1, memory_mb: 2_048 } as const;
/** Filling the nearer region counts more than sharing out, unless the weights say otherwise. */
const DEFAULT_WEIGHTS = { region: 1_000, spread: 0 };

const placementsSchema = z.looseObject({
  org_slug: z.string(),
  compute: guestSchema.default(DEFAULT_COMPUTE),
  /** 0: all that each region would take. */
  count: z.number().int().min(0).max(100_000).default(0),
  region: regionsSchema.optional(),
  weights: z.record(z.string(), z.number().int()).default({}),
});

/** Regions, and what would find room in them. Nothing is promised here. */
@Controller("v1/platform")
export class PlatformController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(BusClient) private readonly bus: BusClient,
    @Inject(ApiSettings) private readonly settings: ApiSettings,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  @Post("placements")
  @HttpCode(200)
  async placements(@Body() body: unknown, @Req() request: FastifyRequest) {
    const wanted = parse(placementsSchema, body, "body");
    const question = {
      region: wanted.region ?? `${this.settings.region},any`,
      resources: resourcesOf({ guest: wanted.compute }),
    };
    const meta = metaOf(request, this.ids);
    const surveyed = await this.bus.call(schedulerCalls.survey, subjects.scheduler("survey"), question, meta);
    if (surveyed.kind === "refused") throw new RefusedError(surveyed.refusal);
    const weights = { ...DEFAULT_WEIGHTS, ...wanted.weights };
    return { regions: shareOut(surveyed.answer.regions, wanted.count, weights.spread > weights.region) };
  }

  @Get("regions")
  regions() {
    const codes = new Set([this.settings.region, ...this.fleet.hosts().map(({ region }) => region)]);
    const regions = [...codes].sort().map((code) => ({
      code,
      name: code,
      deprecated: false,
      gateway_available: false,
      requires_paid_plan: false,
    }));
    return { nearest: this.settings.region, regions };
  }
}
