import {
  type EncodedEvent,
  encodeEvent,
  type HostLogEvent,
  type NewEvent,
  subjects,
  VOCABULARY,
} from "#contracts";
import { canonicalHash, formatHybridTime, type Ids, SeededIds, SimulatedClock } from "#kernel";
import { isMachineEvent, isVolumeEvent } from "../evolve.ts";
import { configOf, HostStory, type Order, type Told } from "../host-story.ts";
import { HOST_FOLD_VERSION, hostToJson } from "../state.ts";

const MACHINES = 12;
const VOLUMES = 40;

/** A host's whole log as it stood on some day, and the hash of the state that each version of the fold made of it. */
export interface GoldenLog {
  readonly hashes: Readonly<Record<string, string>>;
  readonly events: readonly EncodedEvent[];
}

/** Makes up a host's history from a seed: machines come, run, crash, are updated and go, and so do volumes. */
export function makeGoldenLog(seed: number, length: number): GoldenLog {
  const ids = new SeededIds(new SimulatedClock(), seed);
  const story = new HostStory(4_000, 10, 10);
  while (story.events.length < length) happen(story, ids);
  const events = story.events.map(({ event, atMs }, index) =>
    encodeEvent(asAppended(event, atMs, ids), { log: "L1", sequence: index + 1 }),
  );
  return { hashes: { [HOST_FOLD_VERSION]: canonicalHash(hostToJson(story.host)) }, events };
}

function happen(story: HostStory, ids: Ids): void {
  const pick = (count: number) => Math.floor(ids.random() * count);
  story.atMs += pick(20_000);
  const machineId = (pick(MACHINES) + 1).toString(16).padStart(14, "0");
  if (pick(25) === 0) happenToHost(story, machineId, pick(7));
  if (pick(3) === 0) happenToVolumes(story, 1 + pick(VOLUMES), pick);
  const machine = story.host.machines.get(machineId);
  const order: Order = {
    machineId,
    epoch: 1 + pick(2),
    memoryMib: 256 * (1 + pick(4)),
    hostPorts: pick(3) === 0 ? [8_080 + pick(3)] : [],
    skipLaunch: pick(6) === 0,
    ...(pick(3) === 0 ? { volumeId: volumeIdOf(1 + pick(VOLUMES)) } : {}),
  };
  if (machine === undefined) arrive(story, order, pick(4));
  else if (machine.operation !== undefined) goOn(story, machineId, pick(10));
  else if (!story.giveOwed(machineId)) command(story, order, pick(14));
}

const volumeIdOf = (number: number) => `vol_${String(number).padStart(16, "0")}`;

function happenToVolumes(story: HostStory, number: number, pick: (count: number) => number): void {
  const known = [...story.host.volumes.keys()];
  const volumeId = (pick(3) > 0 && known[pick(known.length)]) || volumeIdOf(number);
  const snapshotId = `vs_${String(1 + pick(VOLUMES / 4)).padStart(16, "0")}`;
  const busy = [...story.host.volumes.values(), ...story.host.snapshots.values()].filter(isBusy);
  const id = busy[pick(busy.length)]?.id ?? snapshotId;
  const error = { code: "effect_failed", message: "it did not work" };
  const order = { volumeId, sizeGb: 1 + pick(2), epoch: 1 + pick(3) };
  const acts = [
    () => story.offerVolume(order),
    () => story.commitVolume(order),
    () => story.commitVolume({ ...order, snapshotId }),
    () => story.commitVolume({ ...order, forkOf: known[pick(known.length)] ?? volumeId }),
    () => story.tellVolume(volumeId, { type: "ExtendVolume", sizeGb: 2 + pick(3) }),
    () => story.tellVolume(volumeId, { type: "UpdateVolume", autoBackup: pick(2) === 0 }),
    () => pick(2) === 0 && story.tellVolume(volumeId, { type: "DestroyVolume" }),
    () => story.take(volumeId, snapshotId, 1 + pick(100)),
    () => story.tellSnapshot(snapshotId, { type: "DestroySnapshot" }),
    () => story.reportStored(id, { kind: "retry", error, retryAfterMs: 250 }),
    () => story.reportStored(id, { kind: "terminal", error }),
    () => story.tell({ type: "RecordRefusal", refused: "DestroyVolume", volumeId, ...LATER }),
    ...Array(6).fill(() => story.reportStored(id)),
  ];
  acts[pick(acts.length)]!();
}

const isBusy = ({ operation }: { readonly operation?: unknown }) => operation !== undefined;
const LATER = { code: "busy", message: "later", count: 1 };

function arrive(story: HostStory, order: Order, how: number): void {
  if (how < 2) story.offer(order);
  else if (how === 2) story.commit(order);
  else story.end(order, "expired");
}

function goOn(story: HostStory, machineId: string, how: number): void {
  const error = { code: "effect_failed", message: "it did not work" };
  if (how === 0) story.report(machineId, { kind: "retry", error, retryAfterMs: 250 });
  else if (how === 1) story.report(machineId, { kind: "terminal", error });
  else if (how === 2)
    story.tellMachine(machineId, { type: "StopMachine", signal: "SIGTERM", timeoutMs: 100 });
  else if (how === 3) story.tellMachine(machineId, { type: "StartMachine" });
  else story.report(machineId);
}

function command(story: HostStory, order: Order, how: number): void {
  const { machineId, skipLaunch = false } = order;
  const exit = { exit_code: how, guest_signal: 0, oom_killed: false, requested_stop: false };
  const startId = story.machine(machineId).startId ?? "none";
  if (how < 4) {
    story.tellMachine(machineId, {
      type: "RecordExit",
      startId,
      exit: { ...exit, exited_at_ms: story.atMs },
    });
  } else if (how === 4) story.tellMachine(machineId, { type: "DestroyMachine", force: true });
  else if (how === 5) {
    const update = { config: configOf(order), instanceId: `v${story.events.length}`, skipLaunch };
    story.tellMachine(machineId, { type: "UpdateMachine", ...update });
  } else if (how < 8) story.tellMachine(machineId, { type: "StopMachine" });
  else if (how === 8) story.tellMachine(machineId, { type: "RestartMachine" });
  else if (how === 9) story.tellMachine(machineId, { type: "SuspendMachine" });
  else if (how === 10) {
    const type = story.machine(machineId).isCordoned === true ? "UncordonMachine" : "CordonMachine";
    story.tellMachine(machineId, { type });
  } else story.tellMachine(machineId, { type: "StartMachine" });
}

function happenToHost(story: HostStory, machineId: string, what: number): void {
  const number = story.events.length;
  const features = ["container", "suspend"];
  const capacity = { cpuMillis: 100_000, memoryMib: 4_000 + 10 * number, volumeMib: 20_480 };
  const said = { refused: "StartMachine", code: "busy", message: "later", count: 1 + (number % 3) };
  const commands: Told[] = [
    { type: "ClaimEpoch", agentVersion: "0.1.0", bootId: `b${number}` },
    { type: "MeasureCapacity", capacity, maxMachines: 10, features },
    { type: "Cordon", owner: "ops", reason: "disk swap", expiresAtMs: story.atMs + 60_000 },
    { type: "Uncordon", owner: "ops", reason: "done" },
    { type: "RaiseAlarm", alarm: "disk_low", message: "make room" },
    { type: "ReportUnknownContainer", containerId: `c${number}`, reason: "the log knows no such machine" },
    { type: "RecordRefusal", machineId, ...said },
  ];
  story.tell(commands[what]!);
}

function asAppended(event: HostLogEvent, atMs: number, ids: Ids): NewEvent {
  const id = ids.ulid();
  const subject = subjectOf(event);
  const header = {
    id,
    version: VOCABULARY.currentVersionOf(event.type),
    clock: formatHybridTime(atMs, 0),
    causationId: id,
    correlationId: id,
    actor: "host:host-a",
  };
  return { ...event, subject, header };
}

function subjectOf(event: HostLogEvent): string {
  if (isVolumeEvent(event)) return subjects.volume("host-a", event.data.volumeId);
  return isMachineEvent(event) ? subjects.machine("host-a", event.data.machineId) : subjects.host("host-a");
}
