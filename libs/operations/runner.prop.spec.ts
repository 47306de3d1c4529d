import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type OperationBeginning, SeededIds, SimulatedClock, type StepSpec } from "#kernel";
import { OperationRunner } from "./runner.ts";
import {
  type LogEntry,
  SimulatedJournal,
  SimulatedProcess,
  SimulatedWorld,
  type Trouble,
} from "./simulation.ts";

const STEPS = ["one", "two", "three"];
const SUBJECTS = ["a", "b"];
const HOUR_MS = 3_600_000;

function step(name: string): StepSpec {
  return { name, timeoutMs: 5_000, maxAttempts: 1_000, backoffMs: 10 };
}

function operation(id: string, length: number): OperationBeginning {
  return { id, kind: "work", steps: STEPS.slice(0, length).map(step), startedAtMs: 0 };
}

const PLAN: readonly LogEntry[] = SUBJECTS.map((subjectId, index) => ({
  kind: "planned",
  subjectId,
  writer: "nobody",
  operations: [operation(`${subjectId}1`, 3), operation(`${subjectId}2`, 1 + index)],
}));
const ALL_KEYS = ["a1.0", "a1.1", "a1.2", "a2.0", "b1.0", "b1.1", "b1.2", "b2.0", "b2.1"];

/** One log, one world, one clock; processes come and go. */
class Scene {
  readonly clock = new SimulatedClock();
  readonly log: LogEntry[] = [...PLAN];
  readonly trouble: Trouble & { readonly failures?: number };
  readonly world: SimulatedWorld;

  constructor(trouble: Trouble & { readonly failures?: number }) {
    this.trouble = trouble;
    this.world = new SimulatedWorld(this.log, this.clock, trouble);
  }

  /** A new process writes before it does anything else: from then on every earlier one is fenced (I1). */
  start(process: SimulatedProcess) {
    this.log.push({ kind: "planned", subjectId: "epoch", writer: process.name, operations: [] });
    const journal = new SimulatedJournal(this.log, process, this.clock, this.trouble);
    const effects = this.world.effects(process, STEPS);
    const runner: OperationRunner = new OperationRunner(journal, effects, this.clock, (subjectId, error) => {
      // Whoever owns the journal wakes what stopped once it can write again: never, for one that is fenced.
      if (!error.message.includes("fenced")) void this.clock.sleep(50).then(() => runner.wake(subjectId));
    });
    runner.resumeAll(SUBJECTS);
    return { journal, runner };
  }

  /** Lets one more process, which nothing happens to, finish everything. */
  async finish() {
    const started = this.start(new SimulatedProcess("last"));
    expect(await this.clock.passUntilIdle(HOUR_MS)).toBe(true);
    return started;
  }
}

function expectAllDoneOnce(scene: Scene, journal: SimulatedJournal): void {
  for (const subjectId of SUBJECTS) {
    expect(journal.subject(subjectId).run).toBeUndefined();
    expect(journal.subject(subjectId).ended.map(({ how }) => how)).toEqual(["completed", "completed"]);
  }
  expect([...scene.world.done].sort()).toEqual(ALL_KEYS);
  const completed = scene.log.flatMap((entry) =>
    entry.kind === "outcome" && entry.outcome.kind === "completed" ? [entry.attemptKey] : [],
  );
  for (const subjectId of SUBJECTS) {
    const steps = completed
      .filter((key) => key.startsWith(subjectId))
      .map((key) => key.slice(0, key.lastIndexOf(".")));
    expect(steps).toEqual(ALL_KEYS.filter((key) => key.startsWith(subjectId)));
  }
}

/** I2: no effect was begun before the outcomes of all earlier steps stood in the log. */
function expectOutcomesFirst(scene: Scene): void {
  for (const { key, logLength } of scene.world.begun) {
    const earlier = ALL_KEYS.slice(0, ALL_KEYS.indexOf(key)).filter((other) => other[0] === key[0]);
    const recorded = scene.log
      .slice(0, logLength)
      .flatMap((entry) =>
        entry.kind === "outcome" && entry.outcome.kind === "completed" ? [entry.attemptKey] : [],
      )
      .map((attempt) => attempt.slice(0, attempt.lastIndexOf(".")));
    expect(recorded).toEqual(expect.arrayContaining(earlier));
  }
}

const seeds = fc.integer();
const randomOf = (seed: number) => {
  const ids = new SeededIds(new SimulatedClock(), seed);
  return () => ids.random();
};

describe("F22: a runner that dies", () => {
  it("at every single point, one after the other, leaves the same end", async () => {
    for (let pointsToLive = 1; ; pointsToLive += 1) {
      const scene = new Scene({ random: () => 0 });
      const process = new SimulatedProcess("first", pointsToLive);
      scene.start(process);
      await scene.clock.passUntilIdle(HOUR_MS);
      const { journal } = await scene.finish();
      expectAllDoneOnce(scene, journal);
      expectOutcomesFirst(scene);
      if (process.isAlive) return expect(pointsToLive).toBeGreaterThan(50);
    }
  });

  it("many times, among failures, lost acks, failed appends and delays, leaves the same end", async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 }),
        async (seed, lives) => {
          const scene = new Scene({
            random: randomOf(seed),
            failures: 3,
            failedAppends: 0.1,
            lostAcks: 0.1,
            maxDelayMs: 40,
          });
          for (const [index, pointsToLive] of lives.entries()) {
            scene.start(new SimulatedProcess(`p${index}`, pointsToLive));
            await scene.clock.pass(200);
          }
          const { journal } = await scene.finish();
          expectAllDoneOnce(scene, journal);
          expectOutcomesFirst(scene);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("F19: a second runner over the same journal", () => {
  it("fences the first: each outcome stands once, and the first begins no further step", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 0, max: 120 }), async (seed, takeOverMs) => {
        const scene = new Scene({ random: randomOf(seed), failures: 2, maxDelayMs: 40 });
        const { runner: first } = scene.start(new SimulatedProcess("first"));
        await scene.clock.pass(takeOverMs);
        const fencedAt = scene.log.length;
        const current = new Set([...scene.world.begun.map(({ key }) => key), "a1.0", "b1.0"]);
        const second = scene.start(new SimulatedProcess("second"));
        await scene.clock.pass(5_000);
        expectAllDoneOnce(scene, second.journal);
        const late = scene.log.slice(fencedAt).filter(({ writer }) => writer === "first");
        expect(late).toEqual([]);
        const begunLate = scene.world.begun.filter(
          ({ by, logLength }) => by === "first" && logLength > fencedAt,
        );
        expect(begunLate.filter(({ key }) => !current.has(key))).toEqual([]);
        for (const waiting of first.waiting()) expect(waiting.lastError?.message).toContain("fenced");
        await first.stop();
      }),
      { numRuns: 100 },
    );
  });
});

describe("F50: a cancelled operation", () => {
  it("ends at any moment, as cancelled or as done, also across a crash; and what follows it runs", async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.integer({ min: 0, max: 150 }),
        fc.integer({ min: 1, max: 60 }),
        async (seed, cancelMs, pointsToLive) => {
          const scene = new Scene({ random: randomOf(seed), failures: 3, lostAcks: 0.05, maxDelayMs: 40 });
          const process = new SimulatedProcess("first", pointsToLive);
          const { journal, runner } = scene.start(process);
          await scene.clock.pass(cancelMs);
          const running = journal.subject("a").run?.id;
          if (process.isAlive) {
            journal.append({ kind: "cancelled", subjectId: "a", writer: "first" });
            runner.wake("a");
          }
          await scene.clock.pass(1_000);
          process.kill();
          const { journal: last } = await scene.finish();
          for (const { id, how } of last.subject("a").ended) {
            expect(how === "completed" || (how === "cancelled" && id === running)).toBe(true);
          }
          expect(last.subject("a").ended.map(({ id }) => id)).toEqual(["a1", "a2"]);
          expect(last.subject("b").ended.map(({ how }) => how)).toEqual(["completed", "completed"]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
