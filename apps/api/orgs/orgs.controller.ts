import { Controller, Get, Inject, Param, Query, Res } from "@nestjs/common";
import type { FastifyReply } from "fastify";
import { FleetLists } from "../fleet/fleet-lists.ts";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { setSource } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { orgMachineJson } from "../machines/machine-json.ts";
import { cursorOf, machineFilterOf, orgQuerySchema } from "../machines/requests.ts";
import { volumesOfOrg } from "../volumes/list-volumes.ts";
import { orgVolumesSchema } from "../volumes/requests.ts";
import { orgVolumeJson } from "../volumes/volume-json.ts";

/** What belongs to an organization, across its apps. */
@Controller("v1/orgs/:orgSlug")
export class OrgsController {
  constructor(
    @Inject(FleetLists) private readonly lists: FleetLists,
    @Inject(FleetReader) private readonly fleet: FleetReader,
  ) {}

  /** A page of machines in the order of their updates, the oldest first. A full page has a cursor for the next. */
  @Get("machines")
  async machines(
    @Param("orgSlug") orgSlug: string,
    @Query() query: unknown,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const wanted = parse(orgQuerySchema, query, "query");
    const { limit, cursor: after, updated_after: updatedAfterMs } = wanted;
    const { items, fromMemory } = await this.lists.machines({
      orgSlug,
      ...machineFilterOf(wanted),
      ...(after !== undefined || updatedAfterMs === undefined ? {} : { updatedAfterMs }),
      page: after === undefined ? { limit } : { after, limit },
    });
    setSource(response, fromMemory);
    const last = items.at(-1)?.machine;
    const mark = last && { updatedAtMs: last.updatedAtMs, machineId: last.id };
    return {
      machines: items.map(({ machine }) => orgMachineJson(machine, wanted.summary === true)),
      ...(last === undefined ? {} : { last_machine_id: last.id }),
      ...(last === undefined ? {} : { last_updated_at: new Date(last.updatedAtMs).toISOString() }),
      ...(mark === undefined || items.length < limit ? {} : { next_cursor: cursorOf(mark) }),
      error_regions: [],
    };
  }

  /** Likewise volumes. */
  @Get("volumes")
  volumes(@Param("orgSlug") orgSlug: string, @Query() query: unknown) {
    const wanted = parse(orgVolumesSchema, query, "query");
    const page = volumesOfOrg(this.fleet, orgSlug, wanted);
    const last = page.at(-1)?.volume;
    const mark = last && { updatedAtMs: last.updatedAtMs, machineId: last.id };
    return {
      volumes: page.map(({ volume, hostId }) => orgVolumeJson(volume, this.fleet.whereabouts(hostId))),
      ...(last === undefined ? {} : { last_volume_id: last.id }),
      ...(last === undefined ? {} : { last_updated_at: new Date(last.updatedAtMs).toISOString() }),
      ...(mark === undefined || page.length < wanted.limit ? {} : { next_cursor: cursorOf(mark) }),
    };
  }
}
