import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { canonicalJson, type StepOutcome } from "#kernel";
import { MachineStory, SAMPLE_CONFIG, type Told } from "./machine-story.ts";
import { isCancelled } from "./react.ts";
import { heldResources, isTransient, type Machine } from "./state.ts";

/** Whatever may happen to a machine next. */
type Act =
  | { readonly kind: "tell"; readonly command: Told }
  /** A command that was delivered before is delivered again. */
  | { readonly kind: "repeat"; readonly which: number }
  | { readonly kind: "complete" | "owed" }
  | { readonly kind: "report"; readonly outcome: StepOutcome }
  | { readonly kind: "exit"; readonly exit_code: number }
  | { readonly kind: "wait"; readonly ms: number };

const retry: StepOutcome = { kind: "retry", error: { code: "effect_failed", message: "not yet" } };
const terminal: StepOutcome = { kind: "terminal", error: { code: "disk_full", message: "no room" } };

const user: fc.Arbitrary<Told> = fc.oneof(
  fc.constant<Told>({ type: "StartMachine" }),
  fc.record({
    type: fc.constantFrom("StopMachine" as const, "RestartMachine" as const),
    timeoutMs: fc.constantFrom(0, 5_000),
  }),
  fc.constantFrom<Told[]>({ type: "SuspendMachine" }, { type: "CordonMachine" }, { type: "UncordonMachine" }),
  fc.record({ type: fc.constant("DestroyMachine" as const), force: fc.boolean() }),
  fc.record({
    type: fc.constant("UpdateMachine" as const),
    config: fc.record({
      image: fc.constantFrom("a", "b"),
      guest: fc.record({
        cpus: fc.integer({ min: 1, max: 4 }),
        memory_mb: fc.integer({ min: 16, max: 999 }),
      }),
      restart: fc.record({
        policy: fc.constantFrom("no" as const, "always" as const, "on-failure" as const),
      }),
    }),
    instanceId: fc.constantFrom("v2", "v3"),
    skipLaunch: fc.boolean(),
  }),
);

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("tell" as const), command: user }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("repeat" as const), which: fc.nat(20) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constantFrom("complete" as const, "owed" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("report" as const), outcome: fc.constantFrom(retry, terminal) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("exit" as const), exit_code: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(600_000) }) },
);

const story = fc.record({
  skipLaunch: fc.boolean(),
  autoDestroy: fc.boolean(),
  acts: fc.array(act, { maxLength: 40 }),
});

/** Plays a story; `after` sees each act with the machine before it. */
function play(
  { skipLaunch, autoDestroy, acts }: { skipLaunch: boolean; autoDestroy: boolean; acts: Act[] },
  after: (told: MachineStory, before: Machine, act: Act) => void = () => {},
): MachineStory {
  const told = new MachineStory({ ...SAMPLE_CONFIG, auto_destroy: autoDestroy }, skipLaunch);
  const commands: Told[] = [];
  for (const [index, act] of acts.entries()) {
    const before = deepFreeze(told.machine);
    perform(told, act, commands, `user-${index}`);
    after(told, before, act);
  }
  return told;
}

function perform(told: MachineStory, act: Act, commands: Told[], commandId: string): void {
  const { operation } = told.machine;
  switch (act.kind) {
    case "tell": {
      const command = { ...act.command, commandId };
      if (told.tell(command).kind === "accepted") commands.push(command);
      return;
    }
    case "repeat": {
      const command = commands.at(-1 - (act.which % 8));
      // What is owed may be begun by anybody who brings its id.
      if (command === undefined || command.commandId === told.machine.queued?.commandId) return;
      expect(told.tell(command)).toEqual({ kind: "unchanged" });
      return;
    }
    case "complete":
      if (operation === undefined) return;
      // What is cancelled is never reported as done: the runner sees to that.
      if (isCancelled(told.machine) && operation.lastError?.code !== "cancelled") cancel(told);
      else told.completeStep();
      return;
    case "report":
      if (operation !== undefined) told.report(act.outcome);
      return;
    case "owed":
      told.giveOwed();
      return;
    case "exit":
      told.exit({ exit_code: act.exit_code });
      return;
    case "wait":
      told.atMs += act.ms;
  }
}

function cancel(told: MachineStory): void {
  told.report({ kind: "terminal", error: { code: "cancelled", message: "cancelled" } });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/** The story checks each event against the transition table, and that exactly the transient states have an operation. */
describe("F50: any order of commands, outcomes and exits", () => {
  it("obeys the table and comes to rest with nothing owed", () => {
    fc.assert(
      fc.property(story, (plot) => {
        const told = play(plot).settle();
        expect(isTransient(told.state)).toBe(false);
        expect(told.machine.queued).toBeUndefined();
      }),
      { numRuns: 3_000 },
    );
  });

  it("ends destroyed once a destroy was accepted", () => {
    fc.assert(
      fc.property(story, fc.boolean(), (plot, force) => {
        const told = play(plot);
        const asked = told.tell({ type: "DestroyMachine", force });
        fc.pre(asked.kind !== "refused");
        expect(told.settle().state).toBe("destroyed");
      }),
      { numRuns: 1_000 },
    );
  });

  it("lets a queued intent come true, or drops it with a reason", () => {
    fc.assert(
      fc.property(story, (plot) => {
        play(plot, ({ machine, events }, before) => {
          if (before.queued === undefined || machine.queued?.commandId === before.queued.commandId) return;
          const last = events.at(-1)!;
          const cameTrue = {
            start: ["started", "starting"],
            restart: ["restarting", "starting"],
            stop: ["stopping", "stopped", "destroying", "destroyed"],
            destroy: ["destroying", "destroyed"],
          }[before.queued.intent].includes(machine.state);
          const wasReplaced = last.type === "MachineIntentQueued" || machine.queued !== undefined;
          expect(cameTrue || wasReplaced || last.type === "MachineIntentDropped").toBe(true);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it("holds room exactly while something runs, may run, or is about to", () => {
    fc.assert(
      fc.property(story, (plot) => {
        play(plot, ({ machine }) => {
          const holds = heldResources(machine).memoryMib > 0;
          if (["starting", "started", "restarting"].includes(machine.state)) expect(holds).toBe(true);
          if (["stopped", "suspended", "destroyed", "launch_failed"].includes(machine.state))
            expect(holds).toBe(false);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it("I8: only what a caller asked for ever takes more room than before", () => {
    fc.assert(
      fc.property(story, (plot) => {
        play(plot, ({ machine }, before, act) => {
          if (!["complete", "report", "exit"].includes(act.kind)) return;
          const [had, has] = [heldResources(before), heldResources(machine)];
          expect(has.memoryMib).toBeLessThanOrEqual(had.memoryMib);
          expect(has.cpuMillis).toBeLessThanOrEqual(had.cpuMillis);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it("F22: gives each start an id that no start had before", () => {
    fc.assert(
      fc.property(story, (plot) => {
        const { events } = play(plot).settle();
        const startIds = events.flatMap(({ data }) => {
          const launch = "operation" in data && data.operation?.steps.find(({ name }) => name === "launch");
          return launch ? [(launch.input as { startId: string }).startId] : [];
        });
        expect(new Set(startIds).size).toBe(startIds.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it("I4: reads the same from a checkpoint, and changes no machine in place", () => {
    fc.assert(
      fc.property(story, (plot) => {
        const { machine } = play(plot);
        expect(canonicalJson(JSON.parse(JSON.stringify(machine)))).toBe(canonicalJson(machine));
      }),
    );
  });

  it("remembers a bounded number of things", () => {
    fc.assert(
      fc.property(story, (plot) => {
        const { machine } = play(plot);
        expect(machine.decidedCommands.length).toBeLessThanOrEqual(16);
        expect(machine.restartsAtMs.length).toBeLessThanOrEqual(1_000);
      }),
    );
  });
});
