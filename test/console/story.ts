import { SimulatedFleet } from "#testing";
import { startingTwice } from "../replay/planted-deciders.ts";

/** Names of the machines that something happens to. */
export const CRASHING = "shop-7";
export const STUCK = "shop-11";
export const TWICE = "shop-20";

const IMAGE = "registry.local/shop:1";

/** A history with something in it to be found. */
export interface Story {
  readonly fleet: SimulatedFleet;
  /** When the machine `CRASHING` ended, epoch milliseconds. */
  readonly crashedAtMs: number;
  readonly crashingId: string;
  readonly stuckId: string;
}

/**
 * Some hours of a small fleet, made by the real deciders: three hosts, machines that come, sleep and wake; one that is
 * killed for want of memory, one whose image nobody can pull, a host that is cordoned.
 */
export function tellStory(): Story {
  const fleet = new SimulatedFleet(7);
  for (const hostId of ["host-1", "host-2", "host-3"]) {
    fleet.join(hostId);
    const capacity = { cpuMillis: 4_000, memoryMib: 8_192 };
    fleet.decideHost(hostId, { type: "MeasureCapacity", capacity, maxMachines: 64, features: [] });
  }
  const ids = new Map<string, string>();
  for (let number = 1; number <= 24; number += 1) {
    const name = `shop-${number}`;
    const hostId = hostOf(number);
    const machineId = fleet.create(hostId, { name, config: { image: IMAGE, restart: { policy: "no" } } });
    ids.set(name, machineId);
    fleet.clock.jump(40_000);
    if (name === STUCK) failToPull(fleet, hostId, machineId, 2);
    else settleSlowly(fleet, hostId, machineId);
  }
  rest(fleet, ids);
  const crashedAtMs = crash(fleet, hostOf(7), ids.get(CRASHING)!);
  fleet.clock.jump(120_000);
  failToPull(fleet, hostOf(11), ids.get(STUCK)!, 1);
  const until = fleet.clock.nowMs() + 3_600_000;
  fleet.decideHost("host-2", {
    type: "Cordon",
    owner: "disk-check",
    reason: "a slow disk",
    expiresAtMs: until,
  });
  fleet.clock.jump(60_000);
  rest(fleet, ids);
  startTwice(fleet, hostOf(20), ids.get(TWICE)!);
  fleet.clock.jump(90_000);
  settleSlowly(fleet, "host-1", fleet.create("host-1", { name: "shop-25" }));
  return { fleet, crashedAtMs, crashingId: ids.get(CRASHING)!, stuckId: ids.get(STUCK)! };
}

/** Something more happens: for who follows live. Returns the new machine's name. */
export function goOn({ fleet }: Story, number: number): string {
  const name = `late-${number}`;
  fleet.clock.jump(3_000);
  settleSlowly(fleet, "host-3", fleet.create("host-3", { name }));
  return name;
}

function hostOf(number: number): string {
  return `host-${(number % 3) + 1}`;
}

function settleSlowly(fleet: SimulatedFleet, hostId: string, machineId: string): void {
  do fleet.clock.jump(120 + Math.floor(fleet.ids.random() * 900));
  while (fleet.step(hostId, machineId));
}

/** Machines go to sleep and wake for some time. */
function rest(fleet: SimulatedFleet, ids: ReadonlyMap<string, string>): void {
  let number = 0;
  for (const [name, machineId] of ids) {
    number += 1;
    if (name === STUCK || name === CRASHING || number % 3 === 0) continue;
    const hostId = hostOf(Number(name.slice(5)));
    fleet.clock.jump(60_000);
    fleet.command(hostId, machineId, { type: "StopMachine", origin: "autostop" });
    settleSlowly(fleet, hostId, machineId);
    if (number % 4 === 0) continue;
    fleet.clock.jump(20_000);
    fleet.command(hostId, machineId, { type: "StartMachine", origin: "router" });
    settleSlowly(fleet, hostId, machineId);
  }
}

/** Its process is killed, as it took more memory than it may. */
function crash(fleet: SimulatedFleet, hostId: string, machineId: string): number {
  fleet.clock.jump(30_000);
  const atMs = fleet.clock.nowMs();
  const exit = {
    exit_code: 137,
    guest_signal: 9,
    oom_killed: true,
    requested_stop: false,
    exited_at_ms: atMs,
  };
  const { startId = "" } = fleet.host(hostId).machines.get(machineId)!;
  fleet.command(hostId, machineId, { type: "RecordExit", origin: "host", startId, exit });
  settleSlowly(fleet, hostId, machineId);
  return atMs;
}

/** For a moment a release decides that has a bug: it starts what is being started. */
function startTwice(fleet: SimulatedFleet, hostId: string, machineId: string): void {
  const present = fleet.deciders;
  fleet.deciders = { ...present, ...startingTwice };
  for (const origin of ["user", "request"])
    fleet.command(hostId, machineId, { type: "StartMachine", origin });
  fleet.deciders = present;
  settleSlowly(fleet, hostId, machineId);
}

function failToPull(fleet: SimulatedFleet, hostId: string, machineId: string, times: number): void {
  for (let time = 0; time < times; time += 1) {
    fleet.clock.jump(9_000);
    const run = fleet.host(hostId).machines.get(machineId)?.operation;
    const error = { code: "unreachable", message: "the registry does not answer" };
    fleet.command(hostId, machineId, {
      ...{ type: "RecordStep", origin: "host", operationId: run?.id ?? "" },
      outcome: { kind: "retry", error },
    });
  }
}
