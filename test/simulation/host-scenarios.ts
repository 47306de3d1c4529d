import type { Machine } from "#machines";
import { IMAGE, MACHINE_ID, OTHER_IMAGE, type SimulatedAgent, type SimulatedHost } from "./host-world.ts";

/** One operation, from a machine at rest to a machine at rest. */
export interface Scenario {
  readonly name: string;
  /** Its first operation cannot be done. */
  readonly fails?: true;
  /** Gets the machine to where the operation begins. */
  before(agent: SimulatedAgent): Promise<unknown>;
  /** What sets it off. Repeated after a crash, as a caller repeats a command that nobody answered. */
  act(agent: SimulatedAgent, host: SimulatedHost): Promise<unknown>;
}

const created = (agent: SimulatedAgent) => agent.create("CREATE", {}, true).then(() => agent.settled());
const started = (agent: SimulatedAgent) => agent.create("CREATE").then(() => agent.settled());
const stubborn = (agent: SimulatedAgent) =>
  agent.create("CREATE", { init: { exec: ["stubborn"] } }).then(() => agent.settled());
const stopped = async (agent: SimulatedAgent) => {
  await started(agent);
  await agent.command("STOP-FIRST", { type: "StopMachine" });
  await agent.settled();
};

/** The process ends by itself, whoever is there to see it. It ends once, however often this is called. */
function crashOf(status: number) {
  return async (agent: SimulatedAgent, host: SimulatedHost) => {
    host.firstStart ??= `${MACHINE_ID}.${agent.machine?.startId}`;
    host.kernel.endProcess(host.firstStart, { status, oomKilled: false, exitedAtMs: 1_764_000_000_000 });
  };
}

const update = (image: string) => (agent: SimulatedAgent) =>
  agent.command("UPDATE", {
    type: "UpdateMachine",
    config: { image },
    instanceId: "01SECOND",
    skipLaunch: false,
  });

/** Every operation of libs/machines, each also on the ways on which it goes wrong. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "create and launch", before: async () => {}, act: (agent) => agent.create("CREATE") },
  {
    name: "create without launching",
    before: async () => {},
    act: (agent) => agent.create("CREATE", {}, true),
  },
  {
    name: "create of an image that is not there",
    fails: true,
    before: async () => {},
    act: (agent) => agent.create("CREATE", { image: "registry.test/none:1" }),
  },
  {
    name: "create of a program that is not there",
    fails: true,
    before: async () => {},
    act: (agent) => agent.create("CREATE", { init: { exec: ["missing"] } }),
  },
  {
    name: "start of a new machine",
    before: created,
    act: (agent) => agent.command("START", { type: "StartMachine" }),
  },
  {
    name: "start of a stopped machine",
    before: stopped,
    act: (agent) => agent.command("START", { type: "StartMachine" }),
  },
  { name: "stop", before: started, act: (agent) => agent.command("STOP", { type: "StopMachine" }) },
  {
    name: "stop of a process that heeds no signal",
    before: stubborn,
    act: (agent) => agent.command("STOP", { type: "StopMachine", timeoutMs: 5 }),
  },
  { name: "restart", before: started, act: (agent) => agent.command("RESTART", { type: "RestartMachine" }) },
  { name: "update", before: started, act: update(OTHER_IMAGE) },
  {
    name: "update to an image that is not there",
    fails: true,
    before: started,
    act: update("registry.test/none:1"),
  },
  { name: "update of a stopped machine", before: stopped, act: update(IMAGE) },
  {
    name: "destroy of a running machine",
    before: started,
    act: (agent) => agent.command("DESTROY", { type: "DestroyMachine", force: true }),
  },
  {
    name: "destroy of a stopped machine",
    before: stopped,
    act: (agent) => agent.command("DESTROY", { type: "DestroyMachine", force: false }),
  },
  { name: "restart after a crash of the process", before: started, act: crashOf(1) },
  { name: "end of a process that has done its work", before: started, act: crashOf(0) },
];

/** What a machine is, without what differs from run to run: ids and times. */
export function essenceOf(machine: Machine | undefined): unknown {
  if (machine === undefined) return undefined;
  const { state, config, imageDigest, holdsResources, everStarted, error, queued, lastExit, skipLaunch } =
    machine;
  const { exited_at_ms: _, ...exit } = lastExit ?? {};
  const runs = machine.startId !== undefined;
  const hasRootfs = machine.rootfsKey !== undefined;
  return {
    ...{ state, config, imageDigest, holdsResources, everStarted, skipLaunch, exit, runs, hasRootfs },
    ...{ error: error?.code, queued: queued?.intent, restarts: machine.restartsAtMs.length },
  };
}

/** What stands in the machine room. */
export async function roomOf(host: SimulatedHost): Promise<unknown> {
  const containers = [...host.kernel.containers.values()];
  return {
    containers: containers.map(({ exit, runs }) => (exit === undefined ? `runs ${runs}` : exit.status)),
    networks: [...host.kernel.networks.keys()],
    layers: [...host.layers].map(([machineId, { digest }]) => [machineId, digest]),
    logs: await host.logs.list(),
  };
}
