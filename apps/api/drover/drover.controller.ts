import { Controller, Get, Inject, Param, Query, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { formatPosition, Ids, RefusedError, refusal } from "#kernel";
import { isTerminal } from "#machines";
import { FleetLists } from "../fleet/fleet-lists.ts";
import { FleetReader, type Located } from "../fleet/fleet-reader.ts";
import { HostContact } from "../fleet/host-contact.ts";
import { metaOf, setSource } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { machineIdSchema } from "../machines/requests.ts";
import { shownMachine } from "../machines/shown.ts";
import { hostJson } from "../platform/host-json.ts";
import { ApiSettings } from "../settings.ts";
import { StreamLogs } from "./stream-logs.ts";

const machinesQuerySchema = z.looseObject({ app: z.string().optional(), key: z.string().optional() });
const logsQuerySchema = z.looseObject({
  tail: z.coerce.number().int().min(0).max(10_000).default(100),
  follow: z.enum(["true", "false"]).default("false"),
});

/** What Fly's API has no path for: the whole cluster, machines across apps, logs. */
@Controller("drover/v1")
export class DroverController {
  constructor(
    @Inject(FleetReader) private readonly fleet: FleetReader,
    @Inject(FleetLists) private readonly lists: FleetLists,
    @Inject(HostContact) private readonly contact: HostContact,
    @Inject(StreamLogs) private readonly logs: StreamLogs,
    @Inject(ApiSettings) private readonly settings: ApiSettings,
    @Inject(Ids) private readonly ids: Ids,
  ) {}

  /** Asks every host whether it is there, so that the answer is of this moment. */
  @Get("status")
  async status(@Req() request: FastifyRequest) {
    const hosts = this.fleet.hosts();
    const meta = metaOf(request, this.ids);
    await Promise.all(hosts.map(({ id }) => this.contact.knock(id, meta)));
    const machines = this.fleet.machinesOf();
    return {
      cluster: this.settings.clusterId,
      region: this.settings.region,
      stale: this.fleet.isStale(),
      position: formatPosition(this.fleet.position()),
      quarantined: this.fleet.quarantined(),
      hosts: hosts.map((host) => {
        const own = machines.flatMap(({ hostId, machine }) => (hostId === host.id ? [machine] : []));
        return hostJson(host, own, this.contact);
      }),
      machines: countByState(machines),
    };
  }

  /**
   * Machines of all apps, or those that have exactly this id or name (F48: no prefixes). What a destroyed one came to is
   * told to whoever has its id.
   */
  @Get("machines")
  async machines(@Query() query: unknown, @Res({ passthrough: true }) response: FastifyReply) {
    const { app, key } = parse(machinesQuerySchema, query, "query");
    const located = key === undefined ? await this.#list(app, response) : this.#findByKey(key, app);
    return located.map((each) => shownMachine(this.fleet, each));
  }

  /** NDJSON, until the end or, with `follow=true`, until the client goes away. */
  @Get("machines/:machineId/logs")
  async streamLogs(
    @Param("machineId") machineId: string,
    @Query() query: unknown,
    @Req() request: FastifyRequest,
    @Res() response: FastifyReply,
  ): Promise<void> {
    const id = parse(machineIdSchema, machineId, "machine id");
    const { tail, follow } = parse(logsQuerySchema, query, "query");
    const located = await this.fleet.locate(id);
    if (located === undefined) throw new RefusedError(refusal("not_found", `no machine ${id}`));
    const lines = await this.logs.open(
      located,
      { tail, follow: follow === "true" },
      metaOf(request, this.ids),
    );
    request.raw.once("close", () => lines.destroy());
    await response.header("content-type", "application/x-ndjson").send(lines);
  }

  async #list(app: string | undefined, response: FastifyReply): Promise<readonly Located[]> {
    const { items, fromMemory } = await this.lists.machines(app === undefined ? {} : { appName: app });
    setSource(response, fromMemory);
    return items;
  }

  /** What commands are about: never a question to the database. */
  #findByKey(key: string, app: string | undefined): Located[] {
    return this.fleet
      .machinesOf(app)
      .filter(({ machine }) => machine.id === key || (machine.name === key && !isTerminal(machine.state)));
  }
}

function countByState(machines: readonly Located[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { machine } of machines) {
    if (!isTerminal(machine.state)) counts[machine.state] = (counts[machine.state] ?? 0) + 1;
  }
  return counts;
}
