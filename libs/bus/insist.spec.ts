import { describe, expect, it } from "@jest/globals";
import { Clock, Deadline, type Refusal, type RefusalCode, type Result, refusal } from "#kernel";
import { insist, isUnreachable } from "./insist.ts";

/** Time that passes only by sleeping, and by questions that are not answered. */
class SteppedClock extends Clock {
  #atMs = 0;
  override nowMs(): number {
    return this.#atMs;
  }
  override monotonicMs(): number {
    return this.#atMs;
  }
  override async sleep(durationMs: number): Promise<void> {
    this.#atMs += durationMs;
  }
}

const refusedWith = (code: RefusalCode): Result<string> => ({
  kind: "refused",
  refusal: refusal(code, code),
});

/** Asks somebody who says these things one after the other, the last one for ever. */
async function ask(said: readonly (RefusalCode | "yes")[], isPassing = (_: Refusal) => false) {
  const clock = new SteppedClock();
  const asked: number[] = [];
  const question = async (deadlineMs: number): Promise<Result<string>> => {
    const what = said[Math.min(asked.length, said.length - 1)]!;
    asked.push(deadlineMs);
    if (what === "deadline_exceeded") await clock.sleep(deadlineMs);
    return what === "yes" ? { kind: "answer", answer: what } : refusedWith(what);
  };
  const deadline = new Deadline(clock, 2_500);
  const result = await insist(question, { clock, deadline, tryMs: 1_000, isPassing });
  return { asked, said: result.kind === "answer" ? result.answer : result.refusal.code };
}

describe("insist", () => {
  it("asks once when it is answered", async () => {
    expect(await ask(["yes"])).toEqual({ asked: [1_000], said: "yes" });
  });

  it("asks again after silence, never beyond the deadline", async () => {
    expect(await ask(["deadline_exceeded", "yes"])).toEqual({ asked: [1_000, 1_000], said: "yes" });
    expect(await ask(["deadline_exceeded"])).toEqual({
      asked: [1_000, 1_000, 500],
      said: "deadline_exceeded",
    });
  });

  it("takes a typed no for an answer", async () => {
    expect(await ask(["insufficient_capacity"])).toEqual({ asked: [1_000], said: "insufficient_capacity" });
  });

  it("waits for one who is not there only when told to", async () => {
    expect(await ask(["unreachable", "yes"])).toMatchObject({ said: "unreachable" });
    expect(await ask(["unreachable", "unreachable", "yes"], isUnreachable)).toMatchObject({ said: "yes" });
    expect(await ask(["unreachable"], isUnreachable)).toMatchObject({ said: "unreachable" });
  });
});
