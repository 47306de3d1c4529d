import { type DynamicModule, Module } from "@nestjs/common";
import { askOwner, BusClient, type BusConnection } from "#bus";
import { HostPulse, Projection } from "#event-log";
import { ControlCommands, DriftWatch, FLEET_FOLD, type FleetView } from "#fleet";
import { Clock, HybridClock, Ids, SystemClock, SystemIds } from "#kernel";
import { PgliteGenerations, PostgresGenerations, ReadModel } from "#read-model";
import type { ServiceLogger } from "#service";
import { AppsController } from "./apps/apps.controller.ts";
import { CertificatesController } from "./apps/certificates.controller.ts";
import { Hostnames } from "./apps/hostnames.ts";
import { DroverController } from "./drover/drover.controller.ts";
import { StreamLogs } from "./drover/stream-logs.ts";
import { EventsController } from "./events/events.controller.ts";
import { FollowEvents } from "./events/follow-events.ts";
import { ExecController } from "./exec/exec.controller.ts";
import { Execs } from "./exec/execs.ts";
import { RunExec } from "./exec/run-exec.ts";
import { CommandHost } from "./fleet/command-host.ts";
import { FleetLists } from "./fleet/fleet-lists.ts";
import { FleetReader } from "./fleet/fleet-reader.ts";
import { HostContact } from "./fleet/host-contact.ts";
import { reportDrift } from "./fleet/report-drift.ts";
import { IdempotencyKeys } from "./http/idempotency-keys.ts";
import { CommandMachine } from "./machines/command-machine.ts";
import { CordonsController } from "./machines/cordons.controller.ts";
import { CreateMachine } from "./machines/create-machine.ts";
import { MachinesController } from "./machines/machines.controller.ts";
import { WaitMachine } from "./machines/wait-machine.ts";
import { OrgsController } from "./orgs/orgs.controller.ts";
import { HostsController } from "./platform/hosts.controller.ts";
import { PlatformController } from "./platform/platform.controller.ts";
import { ReadModelController } from "./read-model/read-model.controller.ts";
import { ReplayController } from "./replay/replay.controller.ts";
import { ReplayThread } from "./replay/replay-thread.ts";
import { startReplayWorker } from "./replay/start-worker.ts";
import { ApiSettings } from "./settings.ts";
import { TokensController } from "./tokens/tokens.controller.ts";
import { Tokens } from "./tokens/tokens.ts";
import { CommandVolume } from "./volumes/command-volume.ts";
import { CreateVolume } from "./volumes/create-volume.ts";
import { DroverVolumesController } from "./volumes/drover-volumes.controller.ts";
import { FindVolume } from "./volumes/find-volume.ts";
import { VolumesController } from "./volumes/volumes.controller.ts";

/** What the process is made of: plain classes. Nest only hands requests to the controllers. */
export interface ApiParts {
  readonly settings: ApiSettings;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly projection: Projection<FleetView>;
  readonly drift: DriftWatch;
  readonly fleet: FleetReader;
  /** Not started: nothing else waits for it. */
  readonly readModel: ReadModel;
  readonly tokens: Tokens;
  readonly execs: Execs;
  /** Starts by itself with the first question. */
  readonly replay: ReplayThread;
  readonly providers: readonly { readonly provide: unknown; readonly useValue: unknown }[];
}

/** What opens doors. `adminToken`: what `up` wrote to a file. `seed`: of the API's own key at the hub. */
export interface ApiSecrets {
  readonly adminToken: string;
  readonly seed: string;
}

/** Wires the process. */
export async function apiParts(
  nc: BusConnection,
  settings: ApiSettings,
  { adminToken, seed }: ApiSecrets,
  logger: ServiceLogger,
): Promise<ApiParts> {
  const clock = new SystemClock();
  const ids = new SystemIds(clock);
  const bus = new BusClient(nc, ids);
  const feed = {
    nc,
    clock,
    askOwner: askOwner(bus, ids, "api"),
    onFault: (error: unknown) => logger.error({ err: error }, "projection"),
  };
  const checkpointDirectory = `${settings.dataDir}/checkpoints`;
  const projection = await Projection.start({ ...feed, fold: FLEET_FOLD, checkpointDirectory });
  projection.onQuarantine((event) => logger.error({ event }, "event quarantined"));
  const readModel = new ReadModel({
    ...feed,
    generations: generationsOf(settings),
    onQuarantine: (event) => logger.error({ event }, "event quarantined in the read model"),
    notice: (line) => logger.warn(`read model: ${line}`),
  });
  const { servers } = settings.nats;
  const folder = settings.timelineDir ?? `${settings.dataDir}/timeline`;
  const replay = new ReplayThread({
    start: () => startReplayWorker({ servers, seed, folder }),
    notice: (line) => logger.warn(`replay: ${line}`),
  });
  projection.onEvent(() => replay.happened());
  const control = new ControlCommands(nc, { clock, ids, hybridClock: new HybridClock(clock) });
  const drift = new DriftWatch({
    ...{ nc, projection, onFault: feed.onFault },
    onDrift: (found) => void reportDrift(control, ids, found, logger),
  });
  const contact = new HostContact(bus, new HostPulse(nc, clock), clock);
  const fleet = new FleetReader(projection, contact, control, ids);
  const tokens = new Tokens(adminToken, (id) => fleet.control.tokens.get(id), clock);
  const commandHost = new CommandHost(fleet, bus, clock);
  const execs = new Execs(nc, bus, ids, clock);
  const findVolume = new FindVolume(fleet, bus);
  const keys = new IdempotencyKeys(control, clock);
  const createVolume = new CreateVolume(fleet, findVolume, keys, ids, settings.region);
  const providers = [
    { provide: ApiSettings, useValue: settings },
    { provide: Clock, useValue: clock },
    { provide: Ids, useValue: ids },
    { provide: BusClient, useValue: bus },
    { provide: FleetReader, useValue: fleet },
    { provide: FleetLists, useValue: new FleetLists(projection, readModel) },
    { provide: ReadModel, useValue: readModel },
    { provide: ReplayThread, useValue: replay },
    { provide: HostContact, useValue: contact },
    { provide: ControlCommands, useValue: control },
    { provide: CreateMachine, useValue: new CreateMachine(fleet, control, keys, bus, clock, ids) },
    { provide: CommandMachine, useValue: new CommandMachine(commandHost) },
    { provide: FindVolume, useValue: findVolume },
    { provide: CommandVolume, useValue: new CommandVolume(fleet, bus, clock, createVolume) },
    { provide: CommandHost, useValue: commandHost },
    { provide: FollowEvents, useValue: new FollowEvents({ ...feed, projection }) },
    { provide: RunExec, useValue: new RunExec(execs, clock) },
    { provide: Hostnames, useValue: new Hostnames(fleet, control, clock) },
    { provide: WaitMachine, useValue: new WaitMachine(fleet, clock) },
    { provide: StreamLogs, useValue: new StreamLogs(nc, bus, ids) },
  ];
  return { settings, clock, ids, projection, drift, fleet, readModel, tokens, execs, replay, providers };
}

function generationsOf({ databaseUrl, clusterId, dataDir }: ApiSettings) {
  return databaseUrl === undefined
    ? new PgliteGenerations(`${dataDir}/read-model`)
    : new PostgresGenerations(databaseUrl, clusterId);
}

@Module({})
class ApiModule {}

/** Nest's view of it. */
export function apiModule(parts: ApiParts): DynamicModule {
  return {
    module: ApiModule,
    controllers: [
      AppsController,
      CertificatesController,
      MachinesController,
      CordonsController,
      ExecController,
      VolumesController,
      DroverVolumesController,
      TokensController,
      EventsController,
      DroverController,
      OrgsController,
      HostsController,
      PlatformController,
      ReadModelController,
      ReplayController,
    ],
    providers: [...parts.providers] as DynamicModule["providers"] & object,
  };
}
