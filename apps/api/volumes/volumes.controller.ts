import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Req,
  Res,
} from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { DEFAULT_RETENTION_DAYS, volumeIdSchema } from "#contracts";
import { Ids, type Position } from "#kernel";
import { isGone, newSnapshotId } from "#volumes";
import { FleetReader, type LocatedVolume } from "../fleet/fleet-reader.ts";
import { metaOf, setPosition } from "../http/caller.ts";
import { idempotencyKeySchema } from "../http/idempotency-keys.ts";
import { parse } from "../http/parse.ts";
import { CommandVolume } from "./command-volume.ts";
import { FindVolume } from "./find-volume.ts";
import { createVolumeSchema, extendVolumeSchema, updateVolumeSchema } from "./requests.ts";
import { snapshotJson, type Usage, volumeJson } from "./volume-json.ts";

/** The Machines API's volumes. Every answer to a command carries `drover-position` for reads that follow. */
@Controller("v1/apps/:appName/volumes")
export class VolumesController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(FindVolume) private readonly finds: FindVolume,
    @Inject(CommandVolume) private readonly commands: CommandVolume,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  @Get()
  async list(@Param("appName") appName: string) {
    await this.fleet.app(appName);
    const all = this.fleet.volumesOf(appName).filter(({ volume }) => !isGone(volume));
    return all.map((located) => this.#shown(located));
  }

  @Post()
  @HttpCode(200)
  async create(
    @Param("appName") appName: string,
    @Body() body: unknown,
    @Headers("idempotency-key") key: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    await this.fleet.app(appName);
    const wanted = parse(createVolumeSchema, body, "body");
    const wish = {
      appName,
      name: wanted.name,
      region: wanted.region,
      sizeGb: wanted.size_gb,
      autoBackup: wanted.auto_backup_enabled,
      snapshotRetentionDays: wanted.snapshot_retention || DEFAULT_RETENTION_DAYS,
      snapshotId: wanted.snapshot_id || undefined,
      forkOf: wanted.source_volume_id || undefined,
      compute: wanted.compute,
      isAlone: wanted.require_unique_zone,
      idempotencyKey: parse(idempotencyKeySchema, key, "Idempotency-Key"),
    };
    return this.#done(await this.commands.create(wish, metaOf(request, this.ids)), response);
  }

  @Get(":volumeId")
  async show(
    @Param("appName") appName: string,
    @Param("volumeId") volumeId: string,
    @Req() request: FastifyRequest,
  ) {
    const located = await this.#find(appName, volumeId, request);
    return this.#shown(located, await this.finds.usageOf(located, metaOf(request, this.ids)));
  }

  @Put(":volumeId")
  async update(
    @Param("appName") appName: string,
    @Param("volumeId") volumeId: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const wanted = parse(updateVolumeSchema, body, "body");
    const { auto_backup_enabled: autoBackup, snapshot_retention: snapshotRetentionDays } = wanted;
    const changes = {
      ...(autoBackup === undefined ? {} : { autoBackup }),
      ...(snapshotRetentionDays === undefined ? {} : { snapshotRetentionDays }),
    };
    const located = await this.#find(appName, volumeId, request);
    return this.#done(await this.commands.update(located, changes, metaOf(request, this.ids)), response);
  }

  @Delete(":volumeId")
  async destroy(
    @Param("appName") appName: string,
    @Param("volumeId") volumeId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const located = await this.#find(appName, volumeId, request);
    return this.#done(await this.commands.destroy(located, metaOf(request, this.ids)), response);
  }

  @Put(":volumeId/extend")
  async extend(
    @Param("appName") appName: string,
    @Param("volumeId") volumeId: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const { size_gb: sizeGb } = parse(extendVolumeSchema, body, "body");
    const located = await this.#find(appName, volumeId, request);
    const extended = await this.commands.extend(located, sizeGb, metaOf(request, this.ids));
    return { needs_restart: false, volume: this.#done(extended, response) };
  }

  /** Also those of a volume that is no more: they outlive it. */
  @Get(":volumeId/snapshots")
  async snapshots(
    @Param("appName") appName: string,
    @Param("volumeId") volumeId: string,
    @Req() request: FastifyRequest,
  ) {
    const id = parse(volumeIdSchema, volumeId, "volume id");
    const own = this.fleet.snapshotsOf(id).filter(({ snapshot }) => snapshot.appName === appName);
    if (own.length === 0) await this.#find(appName, id, request);
    return own.flatMap(({ snapshot }) => (isGone(snapshot) ? [] : [snapshotJson(snapshot)]));
  }

  @Post(":volumeId/snapshots")
  @HttpCode(200)
  async takeSnapshot(
    @Param("appName") appName: string,
    @Param("volumeId") volumeId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const located = await this.#find(appName, volumeId, request);
    const meta = metaOf(request, this.ids);
    const { position, snapshot } = await this.commands.snapshot(located, newSnapshotId(this.ids), meta);
    setPosition(response, position);
    return snapshotJson(snapshot);
  }

  #find(appName: string, volumeId: string, request: FastifyRequest): Promise<LocatedVolume> {
    return this.finds.run(appName, parse(volumeIdSchema, volumeId, "volume id"), metaOf(request, this.ids));
  }

  #done(decided: LocatedVolume & { readonly position: Position }, response: FastifyReply) {
    setPosition(response, decided.position);
    return this.#shown(decided);
  }

  #shown({ volume, hostId }: LocatedVolume, usage?: Usage) {
    return volumeJson(volume, this.fleet.whereabouts(hostId), usage);
  }
}
