import { describe, expect, it } from "@jest/globals";
import {
  attemptKey,
  currentStep,
  delayBeforeAttemptMs,
  isExhausted,
  openRun,
  outputOf,
  parentWaitingFor,
  type StepSpec,
  stepKey,
  waitingFor,
  withFailure,
  withOutput,
} from "./operation.ts";

const step = (name: string, more: Partial<StepSpec> = {}): StepSpec => ({
  name,
  timeoutMs: 1_000,
  maxAttempts: 2,
  backoffMs: 100,
  ...more,
});
const run = openRun({ id: "op", kind: "start", steps: [step("pull"), step("launch")], startedAtMs: 5 });
const error = { code: "effect_failed", message: "not yet" };

describe("a run", () => {
  it("goes from step to step by their outputs", () => {
    const pulled = withOutput(run, { digest: "d" }, 7);
    expect([currentStep(run)?.name, currentStep(pulled)?.name]).toEqual(["pull", "launch"]);
    expect(currentStep(withOutput(pulled, null, 8))).toBeUndefined();
    expect(outputOf(pulled, "pull")).toEqual({ digest: "d" });
    expect(outputOf(pulled, "launch")).toBeUndefined();
    expect(outputOf(pulled, "unknown")).toBeUndefined();
  });

  it("has one key per step, which attempts share, and one per attempt", () => {
    const failed = withFailure(run, error, 6);
    expect([stepKey(run), stepKey(failed), stepKey(withOutput(run, null, 6))]).toEqual([
      "op.0",
      "op.0",
      "op.1",
    ]);
    expect([attemptKey(run), attemptKey(failed)]).toEqual(["op.0.0", "op.0.1"]);
  });

  it("is exhausted when a step has used up its attempts; the next step begins anew", () => {
    const once = withFailure(run, error, 6);
    const twice = withFailure(once, error, 7);
    expect([isExhausted(run), isExhausted(once), isExhausted(twice)]).toEqual([false, false, true]);
    const next = withOutput(once, null, 8);
    expect([next.attempts, next.lastError, isExhausted(next)]).toEqual([0, undefined, false]);
  });
});

describe("the pause before an attempt", () => {
  const failedTimes = (times: number, spec: Partial<StepSpec> = {}) => {
    let each = openRun({ id: "op", kind: "x", steps: [step("s", spec)], startedAtMs: 0 });
    for (let count = 0; count < times; count += 1) each = withFailure(each, error, 0);
    return each;
  };

  it("is the step's delay, then its backoff, which doubles up to 30 s", () => {
    const pauses = [0, 1, 2, 3, 20, 5_000].map((times) =>
      delayBeforeAttemptMs(failedTimes(times, { delayMs: 70 })),
    );
    expect(pauses).toEqual([70, 100, 200, 400, 30_000, 30_000]);
    expect(delayBeforeAttemptMs(failedTimes(2_000, { backoffMs: 0 }))).toBe(0);
  });

  it("is what the failure asked for, once, within the same bounds", () => {
    const asked = (ms: number) => withFailure(failedTimes(1), error, 0, ms);
    expect([0, 5, 99_999, -1].map((ms) => delayBeforeAttemptMs(asked(ms)))).toEqual([0, 5, 30_000, 0]);
    expect(delayBeforeAttemptMs(withFailure(asked(5), error, 0))).toBe(400);
  });

  it("is nothing when all steps are done", () => {
    expect(delayBeforeAttemptMs(withOutput(failedTimes(0), null, 0))).toBe(0);
  });
});

describe("I9: what a run waits for", () => {
  it("is its current step, since the last outcome", () => {
    expect(waitingFor(run)).toEqual({
      operationId: "op",
      kind: "start",
      step: "pull",
      attempt: 1,
      sinceMs: 5,
    });
    expect(waitingFor(withFailure(run, error, 9))).toMatchObject({
      attempt: 2,
      sinceMs: 9,
      lastError: error,
    });
    expect(waitingFor(withOutput(withOutput(run, null, 1), null, 2))).toBeUndefined();
  });

  it("is its child, for the operation that began it as its last act", () => {
    expect(parentWaitingFor(run)).toBeUndefined();
    expect(parentWaitingFor({ ...run, parentId: "up", parentKind: "update" })).toEqual({
      operationId: "up",
      kind: "update",
      step: "start",
      attempt: 1,
      sinceMs: 5,
      childId: "op",
    });
  });
});
