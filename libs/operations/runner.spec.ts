import { beforeEach, describe, expect, it } from "@jest/globals";
import {
  type OperationBeginning,
  RetryAfterError,
  SimulatedClock,
  type StepError,
  type StepSpec,
  TerminalError,
} from "#kernel";
import type { Effect } from "./effect.ts";
import { OperationRunner } from "./runner.ts";
import { type LogEntry, SimulatedJournal, SimulatedProcess } from "./simulation.ts";

const START_MS = 1_764_000_000_000;

let clock: SimulatedClock;
let log: LogEntry[];
let journal: SimulatedJournal;
let effects: Record<string, Effect>;
let halts: [string, StepError][];
let runner: OperationRunner;
let failingAppends: boolean;

beforeEach(() => {
  clock = new SimulatedClock(START_MS);
  log = [];
  failingAppends = false;
  const random = () => (failingAppends ? 0 : 1 - Number.EPSILON);
  journal = new SimulatedJournal(log, new SimulatedProcess("p"), clock, { random, failedAppends: 0.5 });
  effects = {};
  halts = [];
  runner = new OperationRunner(journal, effects, clock, (...halt) => halts.push(halt));
});

function step(name: string, timing: Partial<StepSpec> = {}): StepSpec {
  return { name, timeoutMs: 1_000, maxAttempts: 3, backoffMs: 100, ...timing };
}

function begin(subjectId: string, steps: StepSpec[], more: Partial<OperationBeginning> = {}): void {
  const operation = { id: `op-${subjectId}`, kind: "start", steps, startedAtMs: START_MS, ...more };
  journal.append({ kind: "planned", subjectId, writer: "p", operations: [operation] });
  runner.wake(subjectId);
}

function cancel(subjectId: string): void {
  journal.append({ kind: "cancelled", subjectId, writer: "p" });
  runner.wake(subjectId);
}

/** An effect that notes when it was called, in milliseconds from the start, and does what it is told. */
function calledAt(then: (call: number, signal: AbortSignal) => Promise<null> | null = () => null) {
  const calls: number[] = [];
  const effect: Effect = async ({ signal }) => {
    calls.push(clock.monotonicMs());
    return then(calls.length, signal);
  };
  return { calls, effect };
}

const forEver = (signal: AbortSignal) =>
  new Promise<null>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });

const howItEnded = (subjectId: string) => journal.subject(subjectId).ended.map(({ how }) => how);

describe("steps", () => {
  it("are done in order, each seeing what the earlier ones left, under a key of its own", async () => {
    const seen: unknown[] = [];
    const note: Effect = async ({ key, outputs, step: { input } }) => {
      seen.push({ key, outputs, input });
      return { answer: input };
    };
    Object.assign(effects, { pull: note, launch: note });
    begin("m", [step("pull", { input: 1 }), step("launch", { input: 2 })]);
    await clock.pass(0);
    expect(seen).toEqual([
      { key: "op-m.0", outputs: {}, input: 1 },
      { key: "op-m.1", outputs: { pull: { answer: 1 } }, input: 2 },
    ]);
    expect(howItEnded("m")).toEqual(["completed"]);
  });

  it("go on with the subject's next operation without being woken", async () => {
    effects.pull = calledAt().effect;
    const operation = { id: "next", kind: "start", steps: [step("pull")], startedAtMs: START_MS };
    begin("m", [step("pull")]);
    journal.append({ kind: "planned", subjectId: "m", writer: "p", operations: [operation] });
    await clock.pass(0);
    expect(howItEnded("m")).toEqual(["completed", "completed"]);
  });

  it("that this version does not know are not skipped: the run waits for a version that does", async () => {
    begin("m", [step("from-the-future")]);
    await clock.pass(0);
    expect(runner.waiting()).toMatchObject([{ step: "from-the-future", lastError: { code: "unsupported" } }]);
    expect(halts).toHaveLength(1);
    effects["from-the-future"] = calledAt().effect;
    runner.wake("m");
    await clock.pass(0);
    expect(howItEnded("m")).toEqual(["completed"]);
  });
});

describe("attempts", () => {
  it("come after the step's delay, then after a backoff that doubles, and are numbered", async () => {
    const failing = calledAt(() => Promise.reject(new Error("not yet")));
    effects.pull = failing.effect;
    begin("m", [step("pull", { delayMs: 70, maxAttempts: 4 })]);
    await clock.pass(400);
    expect(runner.waiting()).toMatchObject([{ attempt: 4, lastError: { message: "not yet" } }]);
    await clock.pass(10_000);
    expect(failing.calls).toEqual([70, 170, 370, 770]);
    expect(howItEnded("m")).toEqual(["effect_failed"]);
  });

  it("come when the effect said that they make sense", async () => {
    const limited = calledAt((call) => {
      if (call === 1) throw new RetryAfterError("rate_limited", "slowly", 2_500);
      return null;
    });
    effects.pull = limited.effect;
    begin("m", [step("pull")]);
    await clock.pass(10_000);
    expect(limited.calls).toEqual([0, 2_500]);
  });

  it("end with the operation when the effect can never succeed", async () => {
    const hopeless = calledAt(() => {
      throw new TerminalError("image_not_found", "no such image");
    });
    effects.pull = hopeless.effect;
    begin("m", [step("pull"), step("launch")]);
    await clock.pass(10_000);
    expect(hopeless.calls).toEqual([0]);
    expect(howItEnded("m")).toEqual(["image_not_found"]);
  });
});

describe("deadlines", () => {
  it("F20: count from the attempt's beginning, whatever wall time does", async () => {
    effects.pull = calledAt((_, signal) => forEver(signal)).effect;
    begin("m", [step("pull", { maxAttempts: 1 })]);
    await clock.pass(999);
    clock.jump(-3_600_000);
    expect(howItEnded("m")).toEqual([]);
    await clock.pass(1);
    expect(howItEnded("m")).toEqual(["deadline_exceeded"]);
  });

  it("give way to an effect that did its work all the same", async () => {
    effects.pull = calledAt((_, signal) => forEver(signal).catch(() => null)).effect;
    begin("m", [step("pull")]);
    await clock.pass(1_000);
    expect(howItEnded("m")).toEqual(["completed"]);
  });

  it("F26: end an attempt whose effect hangs; no other begins beside it, and the operation ends typed", async () => {
    const hanging = calledAt(() => new Promise<null>(() => {}));
    effects.pull = hanging.effect;
    begin("m", [step("pull")]);
    await clock.pass(2_900);
    expect(runner.waiting()).toMatchObject([{ attempt: 1 }]);
    await clock.pass(600);
    expect(runner.waiting()).toMatchObject([{ attempt: 2, lastError: { code: "deadline_exceeded" } }]);
    await clock.pass(20_000);
    expect(hanging.calls).toEqual([0]);
    expect(howItEnded("m")).toEqual(["deadline_exceeded"]);
  });
});

describe("an outcome that cannot be recorded", () => {
  it("stops its run, and only that; waking it begins the step again under the same key", async () => {
    const keys: string[] = [];
    effects.pull = async ({ key }) => {
      keys.push(key);
      return null;
    };
    failingAppends = true;
    begin("m", [step("pull")]);
    await clock.pass(60_000);
    failingAppends = false;
    begin("other", [step("pull")]);
    await clock.pass(60_000);
    expect([howItEnded("m"), howItEnded("other")]).toEqual([[], ["completed"]]);
    expect(halts).toMatchObject([["m", { code: "not_recorded" }]]);
    expect(runner.waiting()).toMatchObject([{ subjectId: "m", lastError: { code: "not_recorded" } }]);
    runner.resumeAll(["m", "other", "unknown"]);
    await clock.pass(0);
    expect(howItEnded("m")).toEqual(["completed"]);
    expect(keys).toEqual(["op-m.0", "op-other.0", "op-m.0"]);
  });
});

describe("cancelling", () => {
  it("fires the step's signal and ends the operation as cancelled, even if the step was done by then", async () => {
    effects.pull = calledAt((_, signal) => forEver(signal).catch(() => null)).effect;
    begin("m", [step("pull")]);
    await clock.pass(10);
    cancel("m");
    await clock.pass(0);
    expect(howItEnded("m")).toEqual(["cancelled"]);
  });

  it("does not wait for a pause between attempts", async () => {
    effects.pull = calledAt(() => Promise.reject(new Error("again"))).effect;
    begin("m", [step("pull", { backoffMs: 20_000 })]);
    await clock.pass(10);
    cancel("m");
    await clock.pass(0);
    expect(howItEnded("m")).toEqual(["cancelled"]);
    expect(clock.monotonicMs()).toBe(10);
  });

  it("of an operation that nobody works on yet spares its effects", async () => {
    const pull = calledAt();
    effects.pull = pull.effect;
    const operation = { id: "op", kind: "start", steps: [step("pull")], startedAtMs: START_MS };
    journal.append({ kind: "planned", subjectId: "m", writer: "p", operations: [operation] });
    cancel("m");
    await clock.pass(0);
    expect(pull.calls).toEqual([]);
    expect(howItEnded("m")).toEqual(["cancelled"]);
  });
});

describe("parents", () => {
  beforeEach(() => {
    effects.wait = calledAt((_, signal) => forEver(signal)).effect;
  });

  it("whose last act was to begin a child are shown as waiting for it", () => {
    begin("m", [step("wait")], { id: "child", parentId: "op-1", parentKind: "restart" });
    expect(runner.waiting()).toEqual([
      {
        subjectId: "m",
        operationId: "op-1",
        kind: "restart",
        step: "start",
        attempt: 1,
        sinceMs: START_MS,
        childId: "child",
      },
      { subjectId: "m", operationId: "child", kind: "start", step: "wait", attempt: 1, sinceMs: START_MS },
    ]);
  });

  it("still at work name the child that they wait for", () => {
    begin("host", [step("wait")], { id: "drain", kind: "drain" });
    begin("m", [step("wait")], { id: "move", kind: "move", parentId: "drain" });
    expect(runner.waiting()).toMatchObject([
      { operationId: "drain", childId: "move" },
      { operationId: "move", step: "wait" },
    ]);
  });

  it("that are cancelled take their children along, children first", async () => {
    begin("host", [step("wait")], { id: "drain", kind: "drain" });
    begin("m", [step("wait")], { id: "move", kind: "move", parentId: "drain" });
    await clock.pass(10);
    cancel("host");
    await clock.pass(0);
    expect([howItEnded("host"), howItEnded("m")]).toEqual([["cancelled"], ["cancelled"]]);
    expect(log.slice(-2).map(({ subjectId }) => subjectId)).toEqual(["m", "host"]);
  });

  it("are not given up while a child cannot be", async () => {
    begin("host", [step("wait")], { id: "drain", kind: "drain" });
    begin("m", [step("wait")], { id: "move", kind: "move", parentId: "drain" });
    await clock.pass(10);
    failingAppends = true;
    cancel("host");
    await clock.pass(0);
    expect(runner.waiting()).toMatchObject([
      { operationId: "drain", lastError: { code: "busy" } },
      { operationId: "move", lastError: { code: "not_recorded" } },
    ]);
    failingAppends = false;
    runner.resumeAll(["host", "m"]);
    await clock.pass(0);
    expect([howItEnded("host"), howItEnded("m")]).toEqual([["cancelled"], ["cancelled"]]);
  });
});

describe("stopping", () => {
  it("fires all signals, records nothing, and the next runner goes on at the same step", async () => {
    effects.pull = calledAt((call, signal) => (call === 1 ? forEver(signal) : null)).effect;
    begin("m", [step("pull")]);
    await clock.pass(10);
    await runner.stop();
    runner.wake("m");
    await clock.pass(0);
    expect([howItEnded("m"), log.length]).toEqual([[], 1]);
    new OperationRunner(journal, effects, clock).wake("m");
    await clock.pass(0);
    expect(howItEnded("m")).toEqual(["completed"]);
  });
});
