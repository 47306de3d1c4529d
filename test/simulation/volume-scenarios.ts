import type { CallMeta, VolumeRequest } from "#contracts";
import type { Snapshot, Volume } from "#volumes";
import { MACHINE_ID, metaOf, type SimulatedAgent, type SimulatedHost } from "./host-world.ts";

export const VOLUME_ID = "vol_00000000000000da";
const OTHER_ID = "vol_0000000000000001";
const SNAPSHOT_ID = "vs_0000000000000001";
/** More than the disk has, and less than the host believes. */
const TOO_MUCH_GB = 80;

/** One operation on volumes, from rest to rest. What it begins with, and what sets it off: repeated after a crash. */
export interface VolumeScenario {
  readonly name: string;
  before(agent: SimulatedAgent, host: SimulatedHost): Promise<unknown>;
  act(agent: SimulatedAgent): Promise<unknown>;
  /** States of the volumes and of the snapshots at the end. */
  readonly ends: readonly [volumes: readonly string[], snapshots: readonly string[]];
}

function create(
  agent: SimulatedAgent,
  volumeId: string,
  sizeGb: number,
  source: { readonly snapshotId?: string; readonly forkOf?: string } = {},
) {
  const described = { appName: "app", name: "data", autoBackup: true, snapshotRetentionDays: 5 };
  const request = { volumeId, ...described, sizeGb, region: "local", epoch: 1, ...source };
  return agent.agent.placement.commitVolume(request, metaOf(`CREATE-${volumeId}`));
}

function command(agent: SimulatedAgent, id: string, asked: VolumeRequest) {
  return agent.agent.volumes.command({ volumeId: VOLUME_ID, command: asked }, metaOf(id));
}

function snapshot(agent: SimulatedAgent, asked: "TakeSnapshot" | "DestroySnapshot", meta: CallMeta) {
  return agent.agent.volumes.snapshot({ volumeId: VOLUME_ID, snapshotId: SNAPSHOT_ID, command: asked }, meta);
}

async function withData(agent: SimulatedAgent, host: SimulatedHost): Promise<void> {
  await create(agent, VOLUME_ID, 4);
  await rested(agent);
  host.pool.write(VOLUME_ID, "row", "committed");
}

async function withSnapshot(agent: SimulatedAgent, host: SimulatedHost): Promise<void> {
  await withData(agent, host);
  await snapshot(agent, "TakeSnapshot", metaOf("TAKE-FIRST"));
  await rested(agent);
  host.pool.write(VOLUME_ID, "row", "changed since");
}

const mounted = { mounts: [{ volume: VOLUME_ID, path: "/data" }] };

export const VOLUME_SCENARIOS: readonly VolumeScenario[] = [
  {
    name: "create",
    ends: [["created"], []],
    before: async () => {},
    act: (agent) => create(agent, VOLUME_ID, 4),
  },
  {
    name: "create of more than the disk has",
    ends: [["destroyed"], []],
    before: async () => {},
    act: (agent) => create(agent, VOLUME_ID, TOO_MUCH_GB),
  },
  {
    name: "extend",
    ends: [["created"], []],
    before: withData,
    act: (agent) => command(agent, "EXTEND", { type: "ExtendVolume", sizeGb: 8 }),
  },
  {
    name: "extend to more than the disk has",
    ends: [["created"], []],
    before: withData,
    act: (agent) => command(agent, "EXTEND", { type: "ExtendVolume", sizeGb: TOO_MUCH_GB }),
  },
  {
    name: "snapshot",
    ends: [["created"], ["created"]],
    before: withData,
    act: (agent) => snapshot(agent, "TakeSnapshot", metaOf("TAKE")),
  },
  {
    name: "restore",
    ends: [["created", "created"], ["created"]],
    before: withSnapshot,
    act: (agent) => create(agent, OTHER_ID, 5, { snapshotId: SNAPSHOT_ID }),
  },
  {
    name: "fork",
    ends: [["created", "created"], []],
    before: withData,
    act: (agent) => create(agent, OTHER_ID, 5, { forkOf: VOLUME_ID }),
  },
  {
    name: "destroy of a snapshot",
    ends: [["created"], ["destroyed"]],
    before: withSnapshot,
    act: (agent) => snapshot(agent, "DestroySnapshot", metaOf("DESTROY")),
  },
  {
    name: "destroy of a volume with a snapshot",
    ends: [["destroyed"], ["created"]],
    before: withSnapshot,
    act: (agent) => command(agent, "DESTROY", { type: "DestroyVolume" }),
  },
  {
    name: "create of a machine that mounts it",
    ends: [["created"], []],
    before: withData,
    act: (agent) => agent.create("CREATE", mounted),
  },
  {
    name: "destroy of the machine that mounts it",
    ends: [["created"], []],
    before: async (agent, host) => {
      await withData(agent, host);
      await agent.create("CREATE", mounted);
      await agent.settled();
    },
    act: (agent) => agent.command("DESTROY", { type: "DestroyMachine", force: true }),
  },
];

/** Resolves once nothing goes on with volumes, snapshots and the machine; to false when the agent dies before. */
export async function rested(agent: SimulatedAgent): Promise<boolean> {
  const rests = new Promise<true>((resolve) => {
    const look = () => {
      const { volumes, snapshots } = agent.agent.ledger.state;
      if ([...volumes.values(), ...snapshots.values()].some(({ operation }) => operation !== undefined))
        return;
      forget();
      resolve(true);
    };
    const forget = agent.agent.ledger.onEvent(look);
    look();
  });
  if (!(await Promise.race([rests, agent.point.died.then(() => false)]))) return false;
  if (agent.machine === undefined) return true;
  return (await agent.settled()) !== undefined;
}

/** What a host has of volumes, in its log and on its disk, without what differs from run to run. */
export function storedOn(agent: SimulatedAgent, host: SimulatedHost): unknown {
  const { volumes, snapshots, holdings } = agent.agent.ledger.state;
  return {
    volumes: [...volumes.values()].map(essenceOf),
    snapshots: [...snapshots.values()].map(essenceOf),
    machine: agent.agent.ledger.state.machines.get(MACHINE_ID)?.state,
    promised: holdings.promised,
    disk: [...host.pool.volumes].map(([id, { sizeBytes, files }]) => [id, sizeBytes, [...files]]),
    kept: [...host.pool.snapshots].map(([id, files]) => [id, [...files]]),
  };
}

function essenceOf(one: Volume | Snapshot): unknown {
  const { createdAtMs: _, error, ...rest } = one;
  return { ...rest, updatedAtMs: 0, error: error?.code };
}
