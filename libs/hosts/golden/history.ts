import {
  type EncodedEvent,
  encodeEvent,
  type HostLogEvent,
  type NewEvent,
  subjects,
  VOCABULARY,
} from "#contracts";
import { canonicalHash, formatHybridTime, type Ids, SeededIds, SimulatedClock } from "#kernel";
import { isMachineEvent } from "../evolve.ts";
import { configOf, HostStory, type Order, type Told } from "../host-story.ts";
import { HOST_FOLD_VERSION, hostToJson } from "../state.ts";

const MACHINES = 12;

/** A host's whole log as it stood on some day, and the hash of the state that each version of the fold made of it. */
export interface GoldenLog {
  readonly hashes: Readonly<Record<string, string>>;
  readonly events: readonly EncodedEvent[];
}

/** Makes up a host's history from a seed: machines come, run, crash, are updated and go. */
export function makeGoldenLog(seed: number, length: number): GoldenLog {
  const ids = new SeededIds(new SimulatedClock(), seed);
  const story = new HostStory(4_000, 10);
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
  const machine = story.host.machines.get(machineId);
  const order: Order = {
    machineId,
    epoch: 1 + pick(2),
    memoryMib: 256 * (1 + pick(4)),
    hostPorts: pick(3) === 0 ? [8_080 + pick(3)] : [],
    skipLaunch: pick(6) === 0,
  };
  if (machine === undefined) arrive(story, order, pick(4));
  else if (machine.operation !== undefined) goOn(story, machineId, pick(10));
  else if (!story.giveOwed(machineId)) command(story, order, pick(13));
}

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
  else story.tellMachine(machineId, { type: "StartMachine" });
}

function happenToHost(story: HostStory, machineId: string, what: number): void {
  const number = story.events.length;
  const features = ["container", "suspend"];
  const capacity = { cpuMillis: 100_000, memoryMib: 4_000 + 10 * number };
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
  const subject = isMachineEvent(event)
    ? subjects.machine("host-a", event.data.machineId)
    : subjects.host("host-a");
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
