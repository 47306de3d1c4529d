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
  Query,
  Req,
  Res,
} from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type MachineConfig, type MachineRequest, mountedVolumesOf } from "#contracts";
import { Ids, RefusedError, refusal } from "#kernel";
import type { Machine } from "#machines";
import { FleetLists } from "../fleet/fleet-lists.ts";
import { FleetReader, type Located } from "../fleet/fleet-reader.ts";
import { metaOf, setPosition, setSource } from "../http/caller.ts";
import { idempotencyKeySchema } from "../http/idempotency-keys.ts";
import { parse } from "../http/parse.ts";
import { ApiSettings } from "../settings.ts";
import { CommandMachine } from "./command-machine.ts";
import { CreateMachine } from "./create-machine.ts";
import { machineEventJson, SHOWN_TYPES } from "./event-json.ts";
import {
  createMachineSchema,
  destroyQuerySchema,
  eventsQuerySchema,
  listQuerySchema,
  machineFilterOf,
  machineIdSchema,
  stopMachineSchema,
  updateMachineSchema,
  waitQuerySchema,
} from "./requests.ts";
import { shownMachine, shownSummary } from "./shown.ts";
import { WaitMachine } from "./wait-machine.ts";

/** The Machines API's machines. Every answer to a command carries `drover-position` for reads that follow. */
@Controller("v1/apps/:appName/machines")
export class MachinesController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(FleetLists) private readonly lists: FleetLists,
    @Inject(CreateMachine) private readonly creates: CreateMachine,
    @Inject(CommandMachine) private readonly commands: CommandMachine,
    @Inject(WaitMachine) private readonly waits: WaitMachine,
    @Inject(ApiSettings) private readonly settings: ApiSettings,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

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
    const wanted = parse(createMachineSchema, body, "body");
    const created = await this.creates.run(
      {
        appName,
        name: wanted.name,
        region: wanted.region || this.#regionOfMounts(wanted.config) || this.settings.region,
        config: wanted.config,
        skipLaunch: wanted.skip_launch === true,
        ...(wanted.skip_service_registration === true && { isCordoned: true }),
        idempotencyKey: parse(idempotencyKeySchema, key, "Idempotency-Key"),
      },
      metaOf(request, this.ids),
    );
    await this.fleet.reach(created.position);
    setPosition(response, created.position);
    const { machineId, hostId } = created;
    return shownMachine(this.fleet, this.fleet.machine(machineId) ?? { machine: created.machine, hostId });
  }

  @Get()
  async list(
    @Param("appName") appName: string,
    @Query() query: unknown,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    await this.fleet.app(appName);
    const wanted = parse(listQuerySchema, query, "query");
    const { items, fromMemory } = await this.lists.machines({ appName, ...machineFilterOf(wanted) });
    setSource(response, fromMemory);
    return items.map((located) =>
      wanted.summary === true ? shownSummary(this.fleet, located) : shownMachine(this.fleet, located),
    );
  }

  @Get(":machineId")
  async show(@Param("appName") appName: string, @Param("machineId") machineId: string) {
    return shownMachine(this.fleet, await this.#find(appName, machineId));
  }

  @Post(":machineId")
  @HttpCode(200)
  async update(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const wanted = parse(updateMachineSchema, body, "body");
    refuseOtherThan((await this.#find(appName, machineId)).machine, wanted);
    const command = {
      type: "UpdateMachine",
      config: wanted.config,
      instanceId: this.ids.ulid(),
      skipLaunch: wanted.skip_launch === true,
      ...(wanted.current_version === undefined ? {} : { currentVersion: wanted.current_version }),
    } as const;
    return shownMachine(this.fleet, await this.#command(appName, machineId, command, request, response));
  }

  @Delete(":machineId")
  async destroy(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Query() query: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const { force: forced, kill } = parse(destroyQuerySchema, query, "query");
    const force = forced === true || kill === true;
    await this.#command(appName, machineId, { type: "DestroyMachine", force }, request, response);
    return { ok: true };
  }

  @Post(":machineId/start")
  @HttpCode(200)
  async start(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const before = await this.#find(appName, machineId);
    await this.#command(appName, machineId, { type: "StartMachine" }, request, response);
    return { previous_state: before.machine.state, migrated: false, new_host: "" };
  }

  @Post(":machineId/stop")
  @HttpCode(200)
  async stop(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const how = howOf(parse(stopMachineSchema, body ?? {}, "body"));
    await this.#command(appName, machineId, { type: "StopMachine", ...how }, request, response);
    return { ok: true };
  }

  @Post(":machineId/restart")
  @HttpCode(200)
  async restart(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Query() query: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const how = howOf(parse(stopMachineSchema, query, "query"));
    await this.#command(appName, machineId, { type: "RestartMachine", ...how }, request, response);
    return { ok: true };
  }

  @Post(":machineId/suspend")
  @HttpCode(200)
  async suspend(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    await this.#command(appName, machineId, { type: "SuspendMachine" }, request, response);
    return { ok: true };
  }

  @Get(":machineId/wait")
  async wait(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Query() query: unknown,
    @Req() request: FastifyRequest,
  ) {
    const wanted = parse(waitQuerySchema, query, "query");
    await this.#find(appName, machineId);
    const gone = new AbortController();
    request.raw.once("close", () => gone.abort("the client went away"));
    const { machine, eventId } = await this.waits.run(machineId, wanted, gone.signal);
    return { ok: true, state: machine.state, version: machine.instanceId, event_id: eventId };
  }

  @Get(":machineId/events")
  async events(
    @Param("appName") appName: string,
    @Param("machineId") machineId: string,
    @Query() query: unknown,
    @Res({ passthrough: true }) response: FastifyReply,
  ) {
    const { limit, before } = parse(eventsQuerySchema, query, "query");
    await this.#findEver(appName, machineId);
    const wanted = { machineId, types: SHOWN_TYPES, limit, ...(before === undefined ? {} : { before }) };
    const { items, fromMemory } = await this.lists.events(wanted);
    setSource(response, fromMemory);
    return items.flatMap((entry) => machineEventJson(entry) ?? []);
  }

  /** Where the volume that it mounts is: there is no other place for the machine. */
  #regionOfMounts(config: MachineConfig): string | undefined {
    const [volumeId] = mountedVolumesOf(config);
    return volumeId === undefined ? undefined : this.fleet.volume(volumeId)?.volume.region;
  }

  async #find(appName: string, machineId: string): Promise<Located> {
    return this.fleet.machineOf(appName, parse(machineIdSchema, machineId, "machine id"));
  }

  /** As `#find`, and also what its host has forgotten since: the read model forgets nothing. */
  async #findEver(appName: string, machineId: string): Promise<void> {
    await this.#find(appName, machineId).catch(async (thrown) => {
      const { items } = await this.lists.machines({ appName, machineId, includeEnded: true });
      if (items.length === 0) throw thrown;
    });
  }

  async #command(
    appName: string,
    machineId: string,
    command: MachineRequest,
    request: FastifyRequest,
    response: FastifyReply,
  ): Promise<Located> {
    const located = await this.#find(appName, machineId);
    const commanded = await this.commands.run(located, command, metaOf(request, this.ids));
    setPosition(response, commanded.position);
    return commanded;
  }
}

/** Name and region belong to a machine for good: an update that wants others must not pass as done. */
function refuseOtherThan(
  machine: Machine,
  wanted: { name?: string | undefined; region?: string | undefined },
) {
  for (const field of ["name", "region"] as const) {
    if (wanted[field] === undefined || wanted[field] === "" || wanted[field] === machine[field]) continue;
    const message = `${field}: it is ${machine[field]} and cannot be changed: create another machine instead`;
    throw new RefusedError(refusal("invalid", message));
  }
}

function howOf(how: { readonly signal?: string | undefined; readonly timeout?: number | undefined }) {
  return {
    ...(how.signal === undefined ? {} : { signal: how.signal }),
    ...(how.timeout === undefined ? {} : { timeoutMs: how.timeout }),
  };
}
