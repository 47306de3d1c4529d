import type { RecordedEvent } from "#contracts";
import { RouteTable } from "#routing";
import { World } from "#timeline";

/** Puts a bug into how events are folded, for everything in this process. Returns how to mend it. */
export type PlantFold = () => () => void;

/** Routers do not hear of machines that stop because nobody wants them. */
export const staleRoutes: PlantFold = () => {
  const { apply } = RouteTable.prototype;
  RouteTable.prototype.apply = function (event: RecordedEvent) {
    const isAutostop = event.type === "MachineStopping" && event.data.origin === "autostop";
    if (!isAutostop) apply.call(this, event);
  };
  return () => {
    RouteTable.prototype.apply = apply;
  };
};

/** A reservation ends, and its room is never given back. */
export const lostRelease: PlantFold = () => {
  const { apply } = World.prototype;
  World.prototype.apply = function (event: RecordedEvent) {
    const host = this.view.logs.get(event.log)?.host;
    const ended =
      event.type === "ReservationEnded" ? host?.reservations.get(event.data.reservationId) : undefined;
    const failure = apply.call(this, event);
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
  };
  return () => {
    World.prototype.apply = apply;
  };
};
