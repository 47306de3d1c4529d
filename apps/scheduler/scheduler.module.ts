import { type DynamicModule, Module } from "@nestjs/common";
import { BusClient, type BusConnection } from "#bus";
import { FleetReconciler, heldEventId, heldFrom, lastHeld, StalledSources } from "#event-log";
import { ControlCommands } from "#fleet";
import { HybridClock, SystemClock, SystemIds } from "#kernel";
import type { ServiceLogger } from "#service";
import { sourceDelivery } from "#topology";
import { BesideVolume } from "./placement/beside-volume.ts";
import { ChooseHost } from "./placement/choose-host.ts";
import { FindPlace } from "./placement/find-place.ts";
import { Hosts } from "./placement/hosts.ts";
import { PlacementController } from "./placement/placement.controller.ts";
import { Placements } from "./placement/placements.ts";
import { SurveyRegions } from "./placement/survey-regions.ts";
import { RegisterHost } from "./registration/register-host.ts";
import { RegistrationController } from "./registration/registration.controller.ts";

/** What the process is made of. Plain classes; Nest only hands messages to the two controllers. */
export class SchedulerParts {
  readonly clock = new SystemClock();
  readonly ids = new SystemIds(this.clock);
  readonly reconciler: FleetReconciler;
  readonly stalledSources: StalledSources;
  readonly places: FindPlace;
  readonly surveys: SurveyRegions;
  readonly registers: RegisterHost;

  constructor(nc: BusConnection, logger: ServiceLogger) {
    const { clock, ids } = this;
    const control = new ControlCommands(nc, { clock, ids, hybridClock: new HybridClock(clock) });
    this.reconciler = new FleetReconciler(nc, { clock, deliveryOf: (hostId) => sourceDelivery(hostId) });
    this.stalledSources = new StalledSources({
      nc,
      reconciler: this.reconciler,
      clock,
      onResumed: (streams) => logger.warn({ streams }, "FLEET stood still; it is sourced anew"),
    });
    const placements = new Placements(control);
    const hosts = new Hosts(new BusClient(nc, ids), () => this.reconciler.registered, clock);
    const choose = new ChooseHost(hosts, clock, ids);
    const beside = new BesideVolume(hosts, placements, clock);
    this.places = new FindPlace(choose, beside, hosts, placements, clock);
    this.surveys = new SurveyRegions(hosts);
    const holdings = {
      last: (log: { hostId: string; logId: string }) => lastHeld(nc, log),
      from: (log: { hostId: string; logId: string }, sequence: number, limit: number) =>
        heldFrom(nc, log, sequence, limit),
      idOf: heldEventId,
    };
    this.registers = new RegisterHost(control, this.reconciler, holdings, clock);
  }
}

@Module({})
class SchedulerModule {}

/** Nest's view of it: two controllers, and what they are handed. */
export function schedulerModule(parts: SchedulerParts): DynamicModule {
  return {
    module: SchedulerModule,
    controllers: [PlacementController, RegistrationController],
    providers: [
      { provide: FindPlace, useValue: parts.places },
      { provide: SurveyRegions, useValue: parts.surveys },
      { provide: RegisterHost, useValue: parts.registers },
    ],
  };
}
