import type { RecordedEvent } from "#contracts";
import { RouteTable } from "#routing";
import { ListedHistory, World } from "#timeline";

/** A world whose fold has a bug. `View`: what a world is made of. */
export type FoldBug = new (...given: ConstructorParameters<typeof World>) => World;

/** History as a release with a bug in its fold sees it. */
export class MisfoldedHistory extends ListedHistory {
  readonly #bug: FoldBug;

  constructor(events: Iterable<RecordedEvent>, bug: FoldBug) {
    super(events);
    this.#bug = bug;
  }

  override async beginning(): Promise<World> {
    return new this.#bug();
  }
}

/** Routers do not hear of machines that stop because nobody wants them. */
export class StaleRoutes extends World {
  override readonly routes: RouteTable = new DeafRouteTable(this.view);
}

class DeafRouteTable extends RouteTable {
  override apply(event: RecordedEvent): void {
    const isAutostop = event.type === "MachineStopping" && event.data.origin === "autostop";
    if (!isAutostop) super.apply(event);
  }
}

/** A reservation ends, and its room is never given back. */
export class LostRelease extends World {
  override apply(event: RecordedEvent): string | undefined {
    const host = this.view.logs.get(event.log)?.host;
    const ended =
      event.type === "ReservationEnded" ? host?.reservations.get(event.data.reservationId) : undefined;
    const failure = super.apply(event);
    if (host !== undefined && ended !== undefined) {
      const { cpuMillis, memoryMib, ...rest } = host.holdings.promised;
      const { resources } = ended;
      host.holdings.promised = {
        ...rest,
        cpuMillis: cpuMillis + resources.cpuMillis,
        memoryMib: memoryMib + resources.memoryMib,
      };
    }
    return failure;
  }
}
