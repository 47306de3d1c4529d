import { describe, expect, it } from "@jest/globals";
import { MachineStory } from "./machine-story.ts";

const start = { type: "StartMachine" } as const;
const stop = { type: "StopMachine" } as const;
const restart = { type: "RestartMachine" } as const;
const destroy = { type: "DestroyMachine", force: false } as const;
const forceDestroy = { type: "DestroyMachine", force: true } as const;
const gone = { kind: "terminal", error: { code: "image_not_found", message: "no such image" } } as const;
const cancelled = { kind: "terminal", error: { code: "cancelled", message: "cancelled" } } as const;

const running = (config = {}) => new MachineStory(config).settle();
const stopped = () => {
  const story = running();
  story.tell(stop);
  return story.settle();
};

describe("F50: a command that comes at the wrong time", () => {
  it("a stop while starting follows the start", () => {
    const story = stopped();
    story.tell(start);
    story.tell({ ...stop, commandId: "s", signal: "SIGTERM", timeoutMs: 7 });
    story.finish();
    expect(story.state).toBe("started");
    story.giveOwed();
    expect(story.machine).toMatchObject({ state: "stopping", operation: { id: "s" } });
    expect(story.machine.operation?.steps).toMatchObject([
      { input: { signal: "SIGTERM" } },
      { input: { timeoutMs: 7 } },
      {},
      {},
    ]);
  });

  it("a start while stopping follows the stop", () => {
    const story = running();
    story.tell(stop);
    story.tell(start);
    expect(story.settle().state).toBe("started");
  });

  it("the latest of several wins", () => {
    const story = running();
    story.tell(stop);
    story.tell(start);
    story.tell(stop);
    expect(story.machine.queued).toBeUndefined();
    expect(story.settle().state).toBe("stopped");
  });

  it("what is owed comes before what is asked, though nobody has come to it yet", () => {
    const story = stopped();
    story.tell(start);
    story.tell(stop);
    story.finish();
    story.tell(restart);
    expect(story.machine).toMatchObject({ state: "started", queued: { intent: "restart" } });
  });

  it("a forced destroy cuts the start short; nothing talks over it", () => {
    const story = stopped();
    story.tell(start);
    expect(story.tell(destroy)).toMatchObject({ refusal: { code: "wrong_state" } });
    story.tell(forceDestroy);
    expect(story.tell(start)).toMatchObject({ refusal: { code: "wrong_state" } });
    story.report(cancelled);
    expect(story.settle().path.slice(-4)).toEqual(["starting", "failed", "destroying", "destroyed"]);
  });

  it("a destroy while stopping waits for the stop, unless it is forced", () => {
    const story = running();
    story.tell(stop);
    story.tell(destroy);
    expect(story.tell(forceDestroy)).toMatchObject({ event: { data: { force: true } } });
    expect(story.tell(destroy)).toEqual({ kind: "unchanged" });
    story.report(cancelled);
    expect(story.steps).toEqual([]);
    expect(story.settle().path.slice(-4)).toEqual(["stopping", "failed", "destroying", "destroyed"]);
  });

  it("an intent that cannot come true any more is dropped, with the reason", () => {
    const story = new MachineStory();
    story.tell(stop);
    story.report(gone);
    story.settle();
    expect(story.events).toContainEqual({
      type: "MachineIntentDropped",
      data: expect.objectContaining({ intent: "stop", code: "image_not_found" }),
    });
    expect(story.state).toBe("destroyed");
  });
});

describe("a repeated command", () => {
  it("changes nothing while it waits, after it was replaced, and after it came true", () => {
    const story = running();
    story.tell(stop);
    story.tell({ ...start, commandId: "one" });
    expect(story.tell({ ...start, commandId: "one" })).toEqual({ kind: "unchanged" });
    story.tell({ ...restart, commandId: "two" });
    expect(story.tell({ ...start, commandId: "one" })).toEqual({ kind: "unchanged" });
    story.settle();
    for (const commandId of ["one", "two"]) {
      expect(story.tell({ ...start, commandId })).toEqual({ kind: "unchanged" });
      expect(story.tell({ ...restart, commandId })).toEqual({ kind: "unchanged" });
    }
  });

  it("is recognised though the machine restarted many times since", () => {
    const story = running({ restart: { policy: "always" } });
    story.tell({ ...restart, commandId: "asked" });
    for (let crashes = 0; crashes < 30; crashes += 1) {
      story.settle();
      story.exit();
    }
    story.settle();
    expect(story.tell({ ...restart, commandId: "asked" })).toEqual({ kind: "unchanged" });
  });
});

describe("a repeated or late report", () => {
  it("of an attempt that was recorded changes nothing", () => {
    const story = new MachineStory();
    const operationId = "create";
    const outcome = { kind: "completed", output: { digest: "sha256:1" } } as const;
    const first = { type: "RecordStep", operationId, outcome, attemptKey: "create.0.0" } as const;
    story.tell(first);
    expect(story.tell(first)).toEqual({ kind: "unchanged" });
    expect(story.tell({ ...first, operationId: "other" })).toEqual({ kind: "unchanged" });
  });
});
