import { type MachineEvent, machineEvents, type OperationStart, type RecordedEvent } from "#contracts";
import type { OperationRun } from "#kernel";
import { isTerminal, type Machine, mayTransition } from "#machines";
import type { Entity, World } from "#timeline";
import type { Snapshot, Volume } from "#volumes";
import { actRule } from "./rules.ts";

type OfMachine = { readonly machineId: string; readonly machine: Machine | undefined };

/** The machine of an event as its own host has it, before the event. */
function machineBefore({ view }: World, event: RecordedEvent): OfMachine | undefined {
  if (!isMachineEvent(event)) return undefined;
  const { machineId } = event.data;
  return { machineId, machine: view.logs.get(event.log)?.host.machines.get(machineId) };
}

function isMachineEvent(event: RecordedEvent): event is RecordedEvent<MachineEvent> {
  return event.type in machineEvents;
}

export const statesFollowTheTable = actRule<OfMachine>({
  name: "states-follow-the-transition-table",
  says: "a machine goes from state to state only as the table of transitions has it",
  before: machineBefore,
  broken({ machineId, machine }, { event, world }) {
    const after = world.view.logs.get(event.log)?.host.machines.get(machineId);
    const entity: Entity = { kind: "machine", id: machineId };
    if (after === undefined) {
      return isForgotten(event)
        ? undefined
        : { entity, message: `${event.type} of a machine that its host has not` };
    }
    if (machine === undefined) return undefined;
    const isRebirth = event.type === "MachineCreating" && isTerminal(machine.state);
    if (isRebirth || mayTransition(machine.state, after.state)) return undefined;
    return { entity, message: `${machine.state} does not lead to ${after.state}` };
  },
});

/** With its last event a machine may fall out of its host's memory. */
function isForgotten({ type }: RecordedEvent): boolean {
  return type === "MachineDestroyed" || type === "MachineReleased";
}

export const oneStartAtATime = actRule<OfMachine>({
  name: "one-start-at-a-time",
  says: "no start of a machine begins while another start of it is under way or its process runs (F33)",
  before: machineBefore,
  broken({ machineId, machine }, { event }) {
    if (event.type !== "MachineStarting" || machine === undefined) return undefined;
    const entity: Entity = { kind: "machine", id: machineId };
    const { state, operation } = machine;
    if (state === "starting") {
      const other = operation?.id ?? "its start";
      return { entity, message: `start ${event.data.operation.id} begins while ${other} is under way` };
    }
    if (state !== "started") return undefined;
    return {
      entity,
      message: `start ${event.data.operation.id} begins while process ${machine.startId} runs`,
    };
  },
});

interface Taking {
  readonly entity: Entity;
  /** What is under way. */
  readonly run: OperationRun | undefined;
  readonly begins?: OperationStart;
  readonly ends?: string;
}

/** What an event says of operations, and which one was under way before it. */
function turnBefore({ view }: World, event: RecordedEvent): Taking | undefined {
  const data = event.data as { operation?: OperationStart; operationId?: string };
  if (data.operation === undefined && data.operationId === undefined) return undefined;
  const owner = ownerOf(view, event);
  if (owner === undefined) return undefined;
  return {
    entity: owner.entity,
    run: owner.subject?.operation,
    ...(data.operation === undefined ? {} : { begins: data.operation }),
    ...(data.operationId === undefined ? {} : { ends: data.operationId }),
  };
}

function ownerOf(view: World["view"], event: RecordedEvent) {
  const host = view.logs.get(event.log)?.host;
  const { machineId, snapshotId, volumeId } = event.data as Readonly<Record<string, string | undefined>>;
  const owned = (kind: Entity["kind"], id: string, subject: Machine | Volume | Snapshot | undefined) => ({
    entity: { kind, id },
    subject,
  });
  if (machineId !== undefined) return owned("machine", machineId, host?.machines.get(machineId));
  if (snapshotId !== undefined) return owned("snapshot", snapshotId, host?.snapshots.get(snapshotId));
  return volumeId === undefined ? undefined : owned("volume", volumeId, host?.volumes.get(volumeId));
}

export const operationsTakeTurns = actRule<Taking>({
  name: "operations-take-turns",
  says: "an operation begins when the one before it has ended, and outcomes are those of the one under way (I2)",
  before: turnBefore,
  broken({ entity, run, begins, ends }, { event }) {
    if (ends !== undefined && ends !== run?.id) {
      const now = run === undefined ? "none is under way" : `${run.kind} ${run.id} is under way`;
      return { entity, message: `${event.type} is of operation ${ends}, and ${now}` };
    }
    if (begins === undefined || run === undefined || ends === run.id || begins.parentId === run.id)
      return undefined;
    return { entity, message: `${begins.kind} ${begins.id} begins while ${run.kind} ${run.id} is under way` };
  },
});
