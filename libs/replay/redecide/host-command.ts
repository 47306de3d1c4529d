import type { HostLogEvent, RecordedEvent } from "#contracts";
import type { HostCommand } from "#hosts";
import type { MachineCommand } from "#machines";
import type { SnapshotCommand, VolumeCommand } from "#volumes";
import { type NotReplayable, notReplayable } from "./not-replayable.ts";

type Inputs = Record<string, unknown>;

/** Whose commands they are. RecordStep is told by what it is about. The compiler sees to it that none is missing. */
type Owned<C extends { readonly type: string }> = Readonly<Record<Exclude<C["type"], "RecordStep">, true>>;
const OF_MACHINE: Owned<MachineCommand> = {
  StartMachine: true,
  StopMachine: true,
  RestartMachine: true,
  SuspendMachine: true,
  CordonMachine: true,
  UncordonMachine: true,
  UpdateMachine: true,
  DestroyMachine: true,
  RecordExit: true,
  DropIntent: true,
};
const OF_VOLUME: Owned<VolumeCommand> = { ExtendVolume: true, UpdateVolume: true, DestroyVolume: true };
const OF_SNAPSHOT: Owned<SnapshotCommand> = { DestroySnapshot: true };
const OF_HOST: Owned<Exclude<HostCommand, { readonly command: unknown }>> = {
  OpenLog: true,
  ClaimEpoch: true,
  MeasureCapacity: true,
  ReserveMachine: true,
  ReserveVolume: true,
  EndReservation: true,
  CommitMachine: true,
  CommitVolume: true,
  RefuseCommit: true,
  TakeSnapshot: true,
  Cordon: true,
  Uncordon: true,
  ExpireCordon: true,
  ReportUnknownContainer: true,
  RaiseAlarm: true,
  RecordRefusal: true,
};
/** What is decided by its config, which the event holds unless it is a refusal. */
const NEEDS_CONFIG: ReadonlySet<string> = new Set(["CommitMachine", "UpdateMachine"]);

/** The command that an event of a host's log was decided from: its decision record, and what the event holds of it. */
export function hostCommandOf(event: RecordedEvent<HostLogEvent>): HostCommand | NotReplayable {
  const { decision } = event;
  if (decision === undefined) return notReplayable("no decision was recorded with it");
  const { command: name, commandId } = decision;
  const inputs: Inputs = { ...decision.inputs, ...heldBy(event, decision.inputs) };
  if (typeof inputs.atMs !== "number") return notReplayable(`${name} was recorded without its time`);
  if (NEEDS_CONFIG.has(name) && inputs.config === undefined) {
    return notReplayable(`${name} was recorded without the config that it was refused by`);
  }
  const command = commandFrom(name, { ...inputs, commandId });
  return command === undefined
    ? notReplayable(`${name} is no command that this release knows`)
    : (command as unknown as HostCommand);
}

function commandFrom(name: string, inputs: Inputs): Inputs | undefined {
  if (Object.hasOwn(OF_HOST, name)) return { type: name, ...inputs };
  const { machineId, volumeId, snapshotId, ...own } = inputs;
  const { commandId, atMs } = own;
  const command = { type: name, ...own };
  const isStep = name === "RecordStep";
  if (Object.hasOwn(OF_MACHINE, name) || (isStep && machineId !== undefined)) {
    return { type: "Machine", machineId, commandId, atMs, command };
  }
  if (Object.hasOwn(OF_SNAPSHOT, name) || (isStep && snapshotId !== undefined)) {
    return { type: "Snapshot", volumeId, snapshotId, commandId, atMs, command };
  }
  if (Object.hasOwn(OF_VOLUME, name) || isStep) {
    return { type: "Volume", volumeId, commandId, atMs, command };
  }
  return undefined;
}

/** What `describeHost` leaves out. */
function heldBy({ type, data }: RecordedEvent<HostLogEvent>, recorded: Inputs): Inputs {
  const held: Inputs = {};
  if ("config" in data) held.config = data.config;
  if (type === "HostLogOpened" && data.previous !== undefined) held.previous = data.previous;
  const correlationId = belongsTo(data, recorded);
  if (correlationId !== undefined) held.correlationId = correlationId;
  return held;
}

/** What an operation that ends another one belongs to comes from that one, not from the command. */
function belongsTo(data: HostLogEvent["data"], recorded: Inputs): string | undefined {
  if ("outcome" in recorded) return undefined;
  if ("operation" in data && data.operation?.parentId === undefined) return data.operation?.correlationId;
  return "correlationId" in data ? data.correlationId : undefined;
}
