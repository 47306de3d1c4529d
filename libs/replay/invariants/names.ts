import type { PublishedPort, RecordedEvent } from "#contracts";
import { nameKey } from "#control";
import { findMachine } from "#fleet";
import { MAX_DRIFT_MS, wallMsOf } from "#kernel";
import { isTerminal } from "#machines";
import type { World } from "#timeline";
import { Check, type Invariant, NOTHING, type PastStep, type Status, type Step } from "./invariant.ts";
import { actRule } from "./rules.ts";

interface Suspicion {
  readonly name: string;
  readonly machineId: string;
  /** Who had the name, and seemed to live. */
  readonly holderId: string;
  readonly atMs: number;
  readonly past: PastStep;
}

/**
 * A name goes to another machine when the one that has it is gone. Of that CONTROL knows by its host, whose clock may be
 * ahead of CONTROL's: a claim that gives that as its reason stands for as long as clocks may differ.
 */
class NamesUnique extends Check {
  #holderId: string | undefined;
  /** By the log of the machine that seemed to live. */
  readonly #suspicions = new Map<string, Suspicion[]>();

  override before({ view }: World, event: RecordedEvent): void {
    if (event.type !== "MachineNameClaimed") {
      this.#holderId = undefined;
      return;
    }
    const { appName, name } = event.data;
    this.#holderId = view.control.names.get(nameKey(appName, name))?.machineId;
  }

  override after(step: Step): readonly Status[] {
    const { event } = step;
    if (event.type === "MachineNameClaimed") return this.#claimed(step, event, this.#holderId);
    const suspicions = this.#suspicions.get(event.log);
    return suspicions === undefined ? NOTHING : this.#judge(suspicions, step);
  }

  #claimed(
    step: Step,
    { data, header, decision }: Extract<RecordedEvent, { type: "MachineNameClaimed" }>,
    holderId: string | undefined,
  ): readonly Status[] {
    const { machineId, name } = data;
    if (holderId === undefined || holderId === machineId) return NOTHING;
    const log = logOfLiving(holderId, step);
    if (log === undefined) return NOTHING;
    const past = { step, position: { ...step.world.position } };
    const suspicion = { name, machineId, holderId, atMs: wallMsOf(header.clock), past };
    const reason = decision?.inputs.goneHolder as { readonly machineId?: string } | undefined;
    if (reason?.machineId !== holderId) return [givenTwice(suspicion)];
    this.#suspicions.set(log, [...(this.#suspicions.get(log) ?? []), suspicion]);
    return NOTHING;
  }

  #judge(suspicions: readonly Suspicion[], step: Step): Status[] {
    const { log, header } = step.event;
    const living = suspicions.filter(({ holderId }) => logOfLiving(holderId, step) === log);
    const isSure = ({ atMs }: Suspicion) => wallMsOf(header.clock) > atMs + MAX_DRIFT_MS;
    const left = living.filter((one) => !isSure(one));
    if (left.length === 0) this.#suspicions.delete(log);
    else this.#suspicions.set(log, left);
    return living.filter(isSure).map(givenTwice);
  }
}

function logOfLiving(machineId: string, { world, logs }: Step): string | undefined {
  const { machine, hostId } = findMachine(world.view, machineId, logs) ?? {};
  if (machine === undefined || isTerminal(machine.state) || hostId === undefined) return undefined;
  return logs.get(hostId)?.host.logId;
}

function givenTwice({ name, machineId, holderId, past }: Suspicion): Status {
  const broken = `the name ${name} is given to it, and machine ${holderId} lives under it`;
  return { entity: { kind: "machine", id: machineId }, broken, isAct: true, since: past };
}

export const namesUniquePerApp: Invariant = {
  name: "names-unique-per-app",
  says: "a machine's name goes to another one of its app only when the machine is gone",
  check: () => new NamesUnique(),
};

export const addressesNeverShared = actRule<{
  readonly machineId: string;
  readonly taken: string | undefined;
}>({
  name: "addresses-never-shared",
  says: "no machine is given an address that its host remembers as another's (F31)",
  before({ view }, event) {
    if (event.type !== "MachineCreating") return undefined;
    const { ipv4, machineId } = event.data;
    const host = view.logs.get(event.log)?.host;
    if (host?.holdings.addresses.has(ipv4) !== true) return { machineId, taken: undefined };
    const other = [...host.machines.values()].find((one) => one.ipv4 === ipv4 && one.id !== machineId);
    return { machineId, taken: other && `${ipv4} is that of machine ${other.id}, which is ${other.state}` };
  },
  broken: ({ machineId: id, taken }) =>
    taken === undefined ? undefined : { entity: { kind: "machine", id }, message: taken },
});

interface Publishing {
  readonly machineId: string;
  readonly taken: string | undefined;
}

export const portsNeverShared = actRule<Publishing>({
  name: "ports-never-shared",
  says: "no two machines of a host publish the same port",
  before({ view }, event) {
    const { machineId, ports } = portsWantedBy(event);
    if (machineId === undefined || ports.length === 0) return undefined;
    const held = view.logs.get(event.log)?.host.holdings.ports;
    for (const { protocol, host_port: port } of ports) {
      const holder = held?.get(`${protocol}/${port}`);
      if (holder !== undefined && holder !== machineId) {
        return { machineId, taken: `port ${port}/${protocol} is that of machine ${holder}` };
      }
    }
    return undefined;
  },
  broken: ({ machineId: id, taken }) =>
    taken === undefined ? undefined : { entity: { kind: "machine", id }, message: taken },
});

function portsWantedBy(event: RecordedEvent): {
  machineId?: string | undefined;
  ports: readonly PublishedPort[];
} {
  switch (event.type) {
    case "ReservationMade":
      return { machineId: event.data.machineId, ports: event.data.ports };
    case "MachineCreating":
    case "MachineUpdating":
      return { machineId: event.data.machineId, ports: event.data.config.publish ?? [] };
    default:
      return { ports: [] };
  }
}
