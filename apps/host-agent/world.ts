import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { assertSyncedWrites, BusClient, type BusConnection, connectBus } from "#bus";
import type { Resources } from "#contracts";
import { Checkpoints, HostLog } from "#event-log";
import { HOST_FOLD_VERSION, type HostIdentity } from "#hosts";
import { type Clock, type Ids, SystemClock, SystemIds } from "#kernel";
import {
  BridgeNetwork,
  ConmonRuntime,
  type GuardedVolumeStore,
  HostNames,
  MonitoredMachineLogs,
  OciImageStore,
  OverlayRootfsStore,
  openVolumeStore,
  type VolumeStore,
} from "#runtime";
import type { RuntimePorts } from "./effects/index.ts";
import type { AgentSettings } from "./settings.ts";
import { measureCapacity, measureFeatures, readBootId } from "./start/capacity.ts";
import { Registration } from "./start/registration.ts";

/** Everything around an agent. The real one is opened here; tests open their own, or wrap this one's parts. */
export interface AgentWorld {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly identity: HostIdentity;
  readonly capabilities: Capabilities;
  readonly nc: BusConnection;
  readonly checkpoints: Checkpoints;
  readonly registration: Registration;
  readonly log: HostLog;
  readonly ports: AgentPorts;
  /** What its operator should know of its storage. */
  readonly storageWarning?: string | undefined;
}

/** The ports of effects, with the store of volumes under guard (F26). */
export interface AgentPorts extends RuntimePorts {
  readonly volumes: GuardedVolumeStore;
}

/** What the host can do and how much of it. */
export interface Capabilities {
  readonly capacity: Resources;
  readonly maxMachines: number;
  readonly features: readonly string[];
}

const MIB = 1024 * 1024;

/** Connects to the leaf; refuses one that does not sync its writes (F17). */
export async function connectLeaf(settings: AgentSettings): Promise<BusConnection> {
  const { hostId, nats, monitorUrl, allowUnsafe } = settings;
  const seed = (await readFile(nats.seedFile, "utf8")).trim();
  const nc = await connectBus({
    servers: nats.servers,
    user: `agent-${hostId}`,
    seed,
    name: `agent-${hostId}`,
  });
  await assertSyncedWrites(nc, monitorUrl, { allowUnsafe });
  return nc;
}

/** Opens the real world of one host. `onStuck`: the leaf acknowledges nothing and must be started again. */
export async function openWorld(
  settings: AgentSettings,
  nc: BusConnection,
  onStuck: (detail: string) => void,
): Promise<AgentWorld> {
  const clock = new SystemClock();
  const ids = new SystemIds(clock);
  const { ports, storageWarning } = await openPorts(settings, clock, ids);
  const [identity, capabilities] = await Promise.all([identify(settings), measure(settings, ports.volumes)]);
  const checkpoints = new Checkpoints(join(settings.dataDir, "checkpoints"));
  const registration = new Registration(new BusClient(nc, ids), clock, ids, settings.hostId, settings.region);
  const knownLogId = (await checkpoints.load(HOST_FOLD_VERSION))?.log;
  const log = await HostLog.open(nc, {
    hostId: settings.hostId,
    clock,
    ids,
    ...(knownLogId === undefined ? {} : { knownLogId }),
    disk: { path: settings.dataDir, reserveBytes: settings.diskReserveMib * MIB },
    onStuck,
  });
  return { clock, ids, identity, capabilities, nc, checkpoints, registration, log, ports, storageWarning };
}

async function openPorts(settings: AgentSettings, clock: Clock, ids: Ids) {
  const { clusterId, hostId, dataDir, subnet, routers, diskReserveMib, volumePoolMib } = settings;
  const names = new HostNames(clusterId, hostId);
  const reserveBytes = 2 * diskReserveMib * MIB;
  const [images, { store: volumes, warning: storageWarning }, network, containers, logs] = await Promise.all([
    OciImageStore.open({ dir: join(dataDir, "images"), ids, clock, reserveBytes }),
    openVolumeStore({
      dir: join(dataDir, "volumes"),
      label: `drover-${names.tag}`,
      clock,
      ...(volumePoolMib === undefined ? {} : { poolBytes: volumePoolMib * MIB }),
      reserveBytes,
    }),
    BridgeNetwork.open(names, subnet, { routers }),
    ConmonRuntime.open({ names, dataDir, clock, maxReady: settings.readyContainers }),
    MonitoredMachineLogs.open({ dir: join(dataDir, "logs") }),
  ]);
  const rootfs = await OverlayRootfsStore.open({ dir: join(dataDir, "machines"), images });
  const ports: AgentPorts = { images, rootfs, network, containers, logs, volumes };
  return { ports, storageWarning };
}

async function identify(settings: AgentSettings): Promise<HostIdentity> {
  const { hostId, clusterId, region, subnet, agentVersion } = settings;
  return { hostId, clusterId, region, subnet, agentVersion, bootId: await readBootId() };
}

async function measure(settings: AgentSettings, volumes: VolumeStore): Promise<Capabilities> {
  const { capacity, maxMachines, features: named } = settings;
  const compute = capacity ?? (await measureCapacity());
  const poolMib = Math.floor(volumes.capacityBytes() / MIB);
  return {
    capacity: { ...compute, volumeMib: Math.min(compute.volumeMib ?? poolMib, poolMib) },
    maxMachines,
    features: [...(await measureFeatures()), `volumes=${volumes.kind}`, ...named],
  };
}
