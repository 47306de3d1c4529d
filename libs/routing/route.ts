import { type MachineConfig, type Service, servicesOf } from "#contracts";
import { isTerminal, type Machine, type MachineStateName } from "#machines";

/** One machine as routers know it. Immutable: what changes is another route. */
export interface Route {
  readonly machineId: string;
  readonly appName: string;
  readonly hostId: string;
  readonly region: string;
  readonly state: MachineStateName;
  /** The machine's own address on its host: it is dialled directly, and rests long before another machine has it (F31). */
  readonly ipv4: string;
  /** Ownership epoch. */
  readonly epoch: number;
  /** The start whose process runs, or may still run. */
  readonly startId: string | undefined;
  readonly services: readonly Service[];
  /** It takes no new requests. */
  readonly isCordoned: boolean;
}

/** The route to a machine of a host. Undefined for a machine that is gone. */
export function routeOf(hostId: string, machine: Machine): Route | undefined {
  if (isTerminal(machine.state)) return undefined;
  const { id: machineId, appName, region, state, ipv4, epoch, startId } = machine;
  return {
    machineId,
    appName,
    hostId,
    region,
    state,
    ipv4,
    epoch,
    startId,
    services: parsed(machine.config),
    isCordoned: machine.isCordoned === true,
  };
}

/** Whether two routes to one machine say the same. */
export function sameRoute(a: Route, b: Route): boolean {
  return (
    a.state === b.state &&
    a.startId === b.startId &&
    a.hostId === b.hostId &&
    a.epoch === b.epoch &&
    a.isCordoned === b.isCordoned &&
    a.services === b.services
  );
}

/** A config is parsed once: the fold keeps it as one object for as long as it stands. */
const services = new WeakMap<MachineConfig, readonly Service[]>();

function parsed(config: MachineConfig): readonly Service[] {
  const known = services.get(config);
  if (known !== undefined) return known;
  const made = servicesOf(config);
  services.set(config, made);
  return made;
}
