import { type DynamicModule, Module } from "@nestjs/common";
import { askOwner, BusClient, type BusConnection } from "#bus";
import { Projection } from "#event-log";
import { ControlCommands, FLEET_FOLD, type FleetView } from "#fleet";
import { HybridClock, SystemClock, SystemIds } from "#kernel";
import type { ServiceLogger } from "#service";
import { Backups } from "./backups/backups.ts";
import { HostVolumes } from "./calls/host-volumes.ts";
import { VolumesController } from "./calls/volumes.controller.ts";

const clock = new SystemClock();
const ids = new SystemIds(clock);

/** What the process is made of. Plain classes; Nest only hands messages to the controller. */
export class VolumesParts {
  readonly clock = clock;
  readonly ids = ids;
  readonly projection: Projection<FleetView>;
  readonly hosts: HostVolumes;
  readonly backups: Backups;

  /** Resolves before anything is known: what has to be found meanwhile is looked for in CONTROL. */
  static async start(nc: BusConnection, dataDir: string, logger: ServiceLogger): Promise<VolumesParts> {
    const projection = await Projection.start({
      nc,
      clock,
      fold: FLEET_FOLD,
      askOwner: askOwner(new BusClient(nc, ids), ids, "volumes"),
      checkpointDirectory: `${dataDir}/checkpoints`,
      onFault: (error) => logger.error({ err: error }, "projection"),
    });
    return new VolumesParts(nc, projection, logger);
  }

  private constructor(nc: BusConnection, projection: Projection<FleetView>, logger: ServiceLogger) {
    const control = new ControlCommands(nc, { clock, ids, hybridClock: new HybridClock(clock) });
    this.projection = projection;
    this.hosts = new HostVolumes(new BusClient(nc, ids), () => projection.state, control, clock);
    this.backups = new Backups({
      hosts: this.hosts,
      view: () => projection.state,
      caughtUp: projection.caughtUp,
      clock,
      ids,
      notice: (about, what) => logger.warn(about, what),
    });
  }
}

@Module({})
class VolumesModule {}

/** Nest's view of it: one controller, and what it is handed. */
export function volumesModule(parts: VolumesParts): DynamicModule {
  return {
    module: VolumesModule,
    controllers: [VolumesController],
    providers: [{ provide: HostVolumes, useValue: parts.hosts }],
  };
}
