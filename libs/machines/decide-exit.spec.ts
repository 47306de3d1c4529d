import { describe, expect, it } from "@jest/globals";
import type { MachineConfig } from "#contracts";
import { RESTART_WINDOW_MS } from "./evolve.ts";
import { MachineStory } from "./machine-story.ts";
import { startIdOf } from "./plan.ts";
import { isCancelled } from "./react.ts";

const running = (config: Partial<MachineConfig> = {}) => new MachineStory(config).settle();

describe("a process that ends by itself", () => {
  it.each<[string, Partial<MachineConfig>, number, string]>([
    ["is restarted after a failure, by default", {}, 1, "restarting"],
    ["is not restarted after a success, by default", {}, 0, "stopping"],
    [
      "is restarted after a failure with on-failure",
      { restart: { policy: "on-failure" } },
      137,
      "restarting",
    ],
    ["is always restarted with always", { restart: { policy: "always" } }, 0, "restarting"],
    ["is never restarted with no", { restart: { policy: "no" } }, 1, "stopping"],
    ["takes its machine along with auto_destroy", { auto_destroy: true }, 0, "destroying"],
    ["is restarted first, even with auto_destroy", { auto_destroy: true }, 1, "restarting"],
    [
      "takes it along with auto_destroy and no",
      { auto_destroy: true, restart: { policy: "no" } },
      1,
      "destroying",
    ],
  ])("%s", (_, config, exit_code, state) => {
    const story = running(config);
    story.exit({ exit_code });
    expect(story.machine).toMatchObject({ state, lastExit: { exit_code }, holdsResources: true });
  });

  it("leaves a machine that ends well stopped, with its exit", () => {
    const story = running();
    story.exit({ exit_code: 0 });
    expect(story.settle().machine).toMatchObject({ state: "stopped", lastExit: { exit_code: 0 } });
  });

  it("starts again from a fresh root filesystem, the recovery being the start's parent", () => {
    const story = running();
    story.exit();
    expect(story.steps).toEqual(["remove-container", "prepare"]);
    const recovery = story.machine.operation;
    story.finish();
    expect(story.machine.operation).toMatchObject({ parentId: recovery?.id, parentKind: "recover" });
    expect(story.machine.operation?.steps[0]?.input).toMatchObject({ layerKey: recovery?.id });
  });
});

describe("the restart policy", () => {
  const delayOf = (story: MachineStory) => story.machine.operation?.steps[0]?.delayMs;

  it("pauses before each restart, twice as long each time, up to 30 s", () => {
    const story = running({ restart: { policy: "always" } });
    const delays = Array.from({ length: 12 }, () => {
      story.exit();
      const delay = delayOf(story);
      story.settle();
      return delay;
    });
    expect(delays.slice(0, 5)).toEqual([undefined, 100, 200, 400, 800]);
    expect(delays.slice(-2)).toEqual([30_000, 30_000]);
  });

  it.each<[string, Partial<MachineConfig>, number]>([
    ["10 times in 5 minutes, by default", {}, 10],
    ["as often as max_retries says", { restart: { policy: "on-failure", max_retries: 2 } }, 2],
    ["not at all with max_retries 0", { restart: { policy: "on-failure", max_retries: 0 } }, 0],
  ])("restarts after failures %s", (_, config, times) => {
    const story = running(config);
    for (let crashes = 0; crashes < times; crashes += 1) {
      story.exit();
      expect(story.state).toBe("restarting");
      story.settle();
    }
    story.exit();
    expect(story.state).toBe("stopping");
  });

  it("counts anew after 5 quiet minutes, and after it gave up", () => {
    const story = running({ restart: { policy: "on-failure", max_retries: 1 } });
    story.exit();
    story.settle().atMs += RESTART_WINDOW_MS;
    story.exit();
    expect(story.state).toBe("restarting");
    story.settle().exit();
    expect(story.settle().state).toBe("stopped");
    story.tell({ type: "StartMachine" });
    story.settle().exit();
    expect(story.state).toBe("restarting");
  });
});

describe("an exit", () => {
  it("reported before the start that it belongs to is recorded has to be reported again", () => {
    const story = new MachineStory().finish();
    story.giveOwed();
    story.until("launch");
    const startId = startIdOf(story.machine.operation!)!;
    const exit = { exit_code: 1, guest_signal: 0, oom_killed: false, requested_stop: false, exited_at_ms: 0 };
    const report = { type: "RecordExit", startId, exit } as const;
    expect(story.tell(report)).toMatchObject({ refusal: { code: "busy", retryAfterMs: 0 } });
    story.finish();
    expect(story.tell(report)).toMatchObject({ event: { type: "MachineExited" } });
  });

  it("of an earlier start, or reported twice, changes nothing", () => {
    const story = running();
    const old = story.machine.startId ?? "";
    const exit = { exit_code: 1, guest_signal: 0, oom_killed: false, requested_stop: false, exited_at_ms: 0 };
    story.tell({ type: "RestartMachine" });
    story.settle();
    expect(story.tell({ type: "RecordExit", startId: old, exit })).toEqual({ kind: "unchanged" });
    const { startId = "" } = story.machine;
    story.exit();
    expect(story.tell({ type: "RecordExit", startId, exit })).toEqual({ kind: "unchanged" });
  });

  it.each([
    ["stop", { type: "StopMachine" }, "stopping"],
    ["destroy", { type: "DestroyMachine", force: true }, "destroying"],
  ] as const)("while a %s is owed makes it come true instead of restarting", (_, command, state) => {
    const story = new MachineStory().finish();
    story.giveOwed();
    story.tell(command);
    story.finish();
    story.exit();
    expect(story.machine).toMatchObject({ state });
    expect(story.machine.queued).toBeUndefined();
  });
});

describe("a stop during the pause before a restart", () => {
  it("spares the pause; the restart itself is not given up", () => {
    const story = running({ restart: { policy: "always" } });
    story.exit();
    story.settle().exit();
    story.tell({ type: "StopMachine" });
    expect(isCancelled(story.machine)).toBe(true);
    story.report({ kind: "terminal", error: { code: "cancelled", message: "cancelled" } });
    expect(story.machine).toMatchObject({ state: "restarting", operation: { attempts: 1, retryAfterMs: 0 } });
    expect(story.settle().path.slice(-4)).toEqual(["starting", "started", "stopping", "stopped"]);
  });
});
