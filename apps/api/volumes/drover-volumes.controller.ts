import { Controller, Get, Inject, Query } from "@nestjs/common";
import { z } from "zod";
import { isGone } from "#volumes";
import { FleetReader } from "../fleet/fleet-reader.ts";
import { parse } from "../http/parse.ts";
import { snapshotJson, volumeJson } from "./volume-json.ts";

const querySchema = z.looseObject({ app: z.string().optional() });

/** What Fly's API has no path for: volumes and snapshots of all apps. */
@Controller("drover/v1")
export class DroverVolumesController {
  constructor(@Inject(FleetReader) private readonly fleet: FleetReader) {}

  @Get("volumes")
  volumes(@Query() query: unknown) {
    const { app } = parse(querySchema, query, "query");
    const all = this.fleet.volumesOf(app).filter(({ volume }) => !isGone(volume));
    return all.map(({ volume, hostId }) => volumeJson(volume, this.fleet.whereabouts(hostId)));
  }

  @Get("snapshots")
  snapshots() {
    return this.fleet
      .snapshotsOf()
      .flatMap(({ snapshot }) => (isGone(snapshot) ? [] : [snapshotJson(snapshot)]));
  }
}
