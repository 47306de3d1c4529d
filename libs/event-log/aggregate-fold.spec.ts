import { describe, expect, it } from "@jest/globals";
import { type DecodedEvent, type RecordedEvent, subjects } from "#contracts";
import { AggregateFold, WHOLE_LOG } from "./aggregate-fold.ts";
import { countFold, HOST } from "./count-domain.fixture.ts";

const subject = (machineId: string) => subjects.machine(HOST, machineId);

function counted(sequence: number, machineId: string, count: number): DecodedEvent {
  const data = { machineId, operationId: "op", step: "count", output: { count } };
  const header = { id: `e${sequence}`, version: 1, clock: `c${sequence}` };
  const event = { type: "StepCompleted", data, subject: subject(machineId), header, log: "L", sequence };
  return { kind: "event", event: event as unknown as RecordedEvent };
}

function bad(machineId: string): DecodedEvent {
  return { kind: "bad", reason: "checksum", detail: "flipped", subject: subject(machineId) };
}

describe("F18: AggregateFold", () => {
  it("leaves an aggregate as it was before its first bad event, and folds all others", () => {
    const fold = new AggregateFold(countFold, "L");
    const set = [
      fold.apply(counted(1, "m1", 1)),
      fold.apply(bad("m1")),
      fold.apply(counted(3, "m1", 3)),
      fold.apply(bad("m1")),
      fold.apply(counted(5, "m2", 1)),
    ];
    expect(set.map((event) => event?.sequence)).toEqual([undefined, 2, undefined, 4, undefined]);
    expect(fold.state.counts).toEqual(
      new Map([
        ["m1", 1],
        ["m2", 1],
      ]),
    );
    expect(fold.quarantineOf(subject("m1"))).toMatchObject({ log: "L", sequence: 2, reason: "checksum" });
    expect(fold.quarantineOf(subject("m2"))).toBeUndefined();
    expect(fold.end).toEqual({ sequence: 5, eventId: "e5" });
    expect(fold.clock).toBe("c5");
  });

  it("sets aside what the fold throws at", () => {
    const fold = new AggregateFold(countFold, "L");
    expect(fold.apply(counted(1, "m1", 7))).toMatchObject({ reason: "evolve_failed", type: "StepCompleted" });
    expect(fold.state.counts.size).toBe(0);
  });

  it("trusts no aggregate once an event is missing, and goes on folding all the same", () => {
    const fold = new AggregateFold(countFold, "L");
    expect(fold.skip("lost")).toMatchObject({ sequence: 1, reason: "missing", subject: WHOLE_LOG });
    fold.apply(counted(2, "m1", 1));
    expect(fold.quarantineOf(subject("m1"))).toMatchObject({ sequence: 1 });
    expect(fold.state.counts.get("m1")).toBe(1);
  });

  it("goes on from a checkpoint as if it had never stopped", () => {
    const fold = new AggregateFold(countFold, "L");
    fold.apply(counted(1, "m1", 1));
    fold.apply(bad("m2"));
    fold.apply(counted(3, "m1", 2));
    const again = new AggregateFold(countFold, "L", JSON.parse(JSON.stringify(fold.toCheckpoint())));
    for (const one of [fold, again]) one.apply(counted(4, "m1", 3));
    expect(again.toCheckpoint()).toEqual(fold.toCheckpoint());
  });
});
