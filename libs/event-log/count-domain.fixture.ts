import type { HostEvent, HostLogEvent, MachineEvent, RecordedEvent } from "#contracts";
import { subjects } from "#contracts";
import { accepted, type Decision, type Refusal, refusal, refused } from "#kernel";
import type { Domain, Issued, PreviousLog } from "./domain.ts";
import type { Fold } from "./fold.ts";

export const HOST = "host-a";
const COUNT_LIMIT = 1_000_000;

/** Per machine the last number that was given out: a lost, doubled or misplaced event breaks the row. */
export interface Counts {
  epoch: number;
  readonly counts: Map<string, number>;
  refusals: number;
}

export type CountCommand = Issued &
  (
    | { readonly type: "Count"; readonly machineId: string; readonly upTo?: number }
    | { readonly type: "OpenLog"; readonly logId: string; readonly previous?: PreviousLog }
    | { readonly type: "ClaimEpoch" }
    | { readonly type: "RecordRefusal"; readonly machineId: string; readonly count: number }
  );

export const countFold: Fold<Counts> = {
  version: 1,
  empty: () => ({ epoch: 0, counts: new Map(), refusals: 0 }),
  evolve(state, event) {
    const known = event as RecordedEvent<HostLogEvent>;
    switch (known.type) {
      case "HostLogOpened":
        return known.data.previous === undefined ? state : this.fromJson(known.data.previous.state);
      case "AgentEpochClaimed":
        state.epoch = known.data.epoch;
        return state;
      case "StepCompleted": {
        const { machineId, output } = known.data;
        const count = (state.counts.get(machineId) ?? 0) + 1;
        if (output?.count !== count) throw new Error(`${machineId}: ${output?.count} follows ${count - 1}`);
        state.counts.set(machineId, count);
        return state;
      }
      case "HostCommandRefused":
        state.refusals += known.data.count;
        return state;
      default:
        return state;
    }
  },
  toJson: ({ epoch, counts, refusals }) => ({ epoch, counts: [...counts], refusals }),
  fromJson(json) {
    const { epoch, counts, refusals } = json as {
      epoch: number;
      counts: [string, number][];
      refusals: number;
    };
    return { epoch, counts: new Map(counts), refusals };
  },
};

/** A domain of the smallest kind over events that exist: machines that count. */
export const countDomain: Domain<CountCommand, Counts, HostLogEvent> = {
  fold: countFold,
  decide: (command, state) => decide(command, state),
  aggregatesOf: (command) =>
    command.type === "Count" ? [subjects.machine(HOST, command.machineId)] : [subjects.host(HOST)],
  subjectOf: (event) =>
    "machineId" in event.data && event.type === "StepCompleted"
      ? subjects.machine(HOST, event.data.machineId)
      : subjects.host(HOST),
  describe: ({ type, commandId: _, ...inputs }) => ({ command: type, inputs }),
  openLog: (log, issued) => ({ type: "OpenLog", ...log, ...issued }),
  opening: (issued) => [{ type: "ClaimEpoch", ...issued() }],
  recordRefusal: (command, _reason: Refusal, count, issued) =>
    command.type === "Count"
      ? { type: "RecordRefusal", machineId: command.machineId, count, ...issued }
      : undefined,
};

function decide(command: CountCommand, state: Counts): Decision<HostLogEvent> {
  switch (command.type) {
    case "OpenLog":
      return accepted(opened(command.logId, command.previous));
    case "ClaimEpoch":
      return accepted<HostEvent>({
        type: "AgentEpochClaimed",
        data: { hostId: HOST, epoch: state.epoch + 1, agentVersion: "test", bootId: "boot" },
      });
    case "RecordRefusal": {
      const { machineId, count } = command;
      const said = { command: "Count", machineId, code: "wrong_state", message: "it is full", count };
      return accepted<HostEvent>({ type: "HostCommandRefused", data: { hostId: HOST, ...said } });
    }
    case "Count": {
      const count = (state.counts.get(command.machineId) ?? 0) + 1;
      if (count > (command.upTo ?? COUNT_LIMIT)) return refused(refusal("wrong_state", "it is full"));
      return accepted(counted(command.machineId, count));
    }
  }
}

function opened(logId: string, previous: PreviousLog | undefined): HostEvent {
  const log = { hostId: HOST, logId, region: "local", clusterId: "test", subnet: "10.213" };
  return { type: "HostLogOpened", data: previous === undefined ? log : { ...log, previous } };
}

function counted(machineId: string, count: number): MachineEvent {
  return {
    type: "StepCompleted",
    data: { machineId, operationId: "op", step: "count", output: { count } },
  };
}
