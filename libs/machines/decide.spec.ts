import { describe, expect, it } from "@jest/globals";
import { MachineStory, SAMPLE_CONFIG } from "./machine-story.ts";
import { isTransient, MACHINE_STATES, type MachineStateName } from "./state.ts";
import { TRANSITIONS } from "./transitions.ts";

const start = { type: "StartMachine" } as const;
const stop = { type: "StopMachine" } as const;
const restart = { type: "RestartMachine" } as const;
const destroy = { type: "DestroyMachine", force: false } as const;
const forceDestroy = { type: "DestroyMachine", force: true } as const;
const update = (more: { skipLaunch?: boolean; image?: string } = {}) =>
  ({
    type: "UpdateMachine",
    config: { ...SAMPLE_CONFIG, image: more.image ?? "registry.local/hello:2" },
    instanceId: "v2",
    skipLaunch: more.skipLaunch ?? false,
  }) as const;
const gone = { kind: "terminal", error: { code: "image_not_found", message: "no such image" } } as const;
const again = { kind: "retry", error: { code: "effect_failed", message: "not yet" } } as const;

const running = (config = {}) => new MachineStory(config).settle();
const stopped = () => {
  const story = running();
  story.tell(stop);
  return story.settle();
};
/** Created, and not started because nobody wanted that. */
const idle = () => new MachineStory({}, true).settle();

describe("creating", () => {
  it("fetches the image, makes ready, and launches by itself", () => {
    const story = new MachineStory();
    expect(story.steps).toEqual(["pull-image", "prepare"]);
    story.finish();
    expect(story.machine).toMatchObject({ state: "created", imageDigest: "sha256:registry.local/hello:1" });
    story.settle();
    expect(story.path).toEqual(["creating", "created", "starting", "started"]);
    expect(story.events.at(-1)).toMatchObject({
      type: "MachineStarted",
      data: { operationId: story.machine.decidedCommands.at(-1) },
    });
  });

  it("stops at created with skip_launch, and holds nothing until it is started", () => {
    const story = idle();
    expect(story.machine).toMatchObject({ state: "created", holdsResources: false });
    story.tell(start);
    expect(story.machine).toMatchObject({ state: "starting", holdsResources: true });
  });

  it("that fails destroys the machine", () => {
    const story = new MachineStory();
    story.report(gone);
    expect(story.machine).toMatchObject({ state: "launch_failed", error: { code: "image_not_found" } });
    story.settle();
    expect(story.path).toEqual(["creating", "launch_failed", "destroying", "destroyed"]);
  });

  it("tries again as often as the step says", () => {
    const story = new MachineStory();
    story.report(again);
    story.report(again);
    expect(story.machine.operation).toMatchObject({ attempts: 2, lastError: { message: "not yet" } });
    story.report(again);
    expect(story.state).toBe("launch_failed");
  });
});

describe("a launch that fails", () => {
  it("destroys a machine that was created to run", () => {
    const story = new MachineStory().finish();
    story.giveOwed();
    story.until("launch").report(gone);
    expect(story.settle().path.slice(-3)).toEqual(["launch_failed", "destroying", "destroyed"]);
  });

  it.each([
    ["created and started later", idle],
    ["that ran before", stopped],
  ])("leaves a machine %s as failed; it may be started again", (_, make) => {
    const story = make();
    story.tell(start);
    story.until("launch").report(gone);
    expect(story.machine).toMatchObject({ state: "failed", holdsResources: false, error: gone.error });
    story.tell(start);
    expect(story.steps).toEqual(["remove-container", "launch"]);
    expect(story.settle().state).toBe("started");
    expect(story.machine.error).toBeUndefined();
  });

  it("F04: is not tried again for each request, but after a rest, and at once when a person asks", () => {
    const story = stopped();
    story.tell(start);
    story.until("launch").report(gone);
    const request = { ...start, origin: "request" };
    expect(story.tell(request)).toMatchObject({
      refusal: { code: "effect_failed", retryAfterMs: 5_000, details: { error: gone.error } },
    });
    story.atMs += 5_000;
    expect(story.tell(request)).toMatchObject({ event: { type: "MachineStarting" } });
    story.until("launch").report(gone);
    expect(story.tell(start)).toMatchObject({ event: { type: "MachineStarting" } });
  });

  it("F20: rests no longer because the clock was set back", () => {
    const story = stopped();
    story.tell(start);
    story.until("launch").report(gone);
    story.atMs -= 3_600_000;
    expect(story.tell({ ...start, origin: "request" })).toMatchObject({ kind: "accepted" });
  });
});

describe("stopping", () => {
  it("asks by signal, waits, clears up, and lays out the next root filesystem", () => {
    const story = running();
    story.tell(stop);
    expect(story.machine.operation?.steps.slice(0, 2)).toMatchObject([
      { name: "send-signal", input: { signal: "SIGINT", startId: story.machine.startId } },
      { name: "await-exit", input: { timeoutMs: 5_000 }, timeoutMs: 20_000 },
    ]);
    const { operation } = story.machine;
    story.settle();
    expect(story.machine).toMatchObject({
      state: "stopped",
      holdsResources: false,
      rootfsKey: operation?.id,
      lastExit: { requested_stop: true },
    });
    story.tell(start);
    expect(story.steps).toEqual(["launch"]);
    const { id } = operation!;
    expect(story.machine.operation?.steps[0]?.input).toEqual({ startId: id, layerKey: id });
  });

  it("takes signal and timeout from the command, else from the config", () => {
    const story = running({ stop_config: { signal: "SIGTERM", timeout: "1.5s" } });
    story.tell({ ...stop, timeoutMs: 0 });
    expect(story.machine.operation?.steps).toMatchObject([
      { input: { signal: "SIGTERM" } },
      { input: { timeoutMs: 0 } },
      {},
      {},
    ]);
    const configured = running({ stop_config: { signal: "SIGTERM", timeout: "1.5s" } });
    configured.tell({ ...stop, signal: "SIGQUIT" });
    expect(configured.machine.operation?.steps).toMatchObject([
      { input: { signal: "SIGQUIT" } },
      { input: { timeoutMs: 1_500 } },
      {},
      {},
    ]);
  });

  it("gives the exit to whoever waits for it, not twice", () => {
    const story = running();
    story.tell(stop);
    expect(story.exit()).toEqual({ kind: "unchanged" });
  });
});

describe("restarting", () => {
  it("stops, then starts: one operation begun by the end of the other", () => {
    const story = running();
    story.tell({ ...restart, commandId: "again" });
    story.finish();
    expect(story.machine.operation).toMatchObject({
      kind: "start",
      parentId: "again",
      parentKind: "restart",
    });
    expect(story.machine.operation?.steps[0]?.input).toMatchObject({ layerKey: "again" });
    story.settle();
    expect(story.path.slice(-3)).toEqual(["restarting", "starting", "started"]);
  });

  it("of a machine that rests is a start", () => {
    const story = stopped();
    story.tell(restart);
    expect(story.state).toBe("starting");
  });

  it("that cannot be done stays and says why, trying again every 30 s", () => {
    const story = running();
    story.tell(restart);
    const decision = story.report(gone);
    expect(decision).toMatchObject({ event: { type: "StepFailed", data: { retryAfterMs: 30_000 } } });
    expect(story.settle().state).toBe("started");
  });
});

describe("updating", () => {
  it("replaces config, version and image, and starts", () => {
    const story = running();
    story.tell(update());
    expect(story.steps).toEqual(["pull-image", "send-signal", "await-exit", "remove-container", "prepare"]);
    story.settle();
    expect(story.path.slice(-3)).toEqual(["updating", "starting", "started"]);
    expect(story.machine).toMatchObject({ instanceId: "v2", imageDigest: "sha256:registry.local/hello:2" });
    expect(story.machine.beforeUpdate).toBeUndefined();
  });

  it.each<[string, () => MachineStory, MachineStateName]>([
    ["created", idle, "created"],
    ["stopped", stopped, "stopped"],
    ["started", running, "stopped"],
  ])("with skip_launch leaves a machine that was %s at rest", (_, make, rest) => {
    const story = make();
    story.tell(update({ skipLaunch: true }));
    story.settle();
    expect(story.machine).toMatchObject({ state: rest, instanceId: "v2", holdsResources: false });
    expect(story.machine.startId).toBeUndefined();
  });

  it("whose image cannot be had never touches the process that runs", () => {
    const story = running();
    const { startId, startedAtMs, config } = story.machine;
    story.tell(update({ image: "nowhere" }));
    story.report(gone);
    expect(story.steps).toEqual(["keep-process"]);
    expect(story.machine).toMatchObject({ state: "starting", startId, operation: { parentKind: "update" } });
    story.settle();
    expect(story.machine).toMatchObject({ state: "started", startId, startedAtMs, config, instanceId: "v1" });
    expect(story.machine.imageDigest).toBe("sha256:registry.local/hello:1");
  });

  it("that fails later starts the old config again", () => {
    const story = running();
    story.tell(update());
    story.until("prepare").report(gone);
    expect(story.machine).toMatchObject({ state: "starting", instanceId: "v1", error: gone.error });
    expect(story.settle().state).toBe("started");
  });

  it.each<[string, () => MachineStory, MachineStateName]>([
    ["created", idle, "created"],
    ["stopped", stopped, "stopped"],
  ])("that fails leaves a machine that was %s as it was, saying why", (_, make, rest) => {
    const story = make();
    story.tell(update());
    story.report(gone);
    expect(story.machine).toMatchObject({
      state: rest,
      instanceId: "v1",
      holdsResources: false,
      error: gone.error,
    });
  });

  it("is refused for another version than the one it was made for", () => {
    const story = running();
    expect(story.tell({ ...update(), currentVersion: "v0" })).toMatchObject({
      refusal: { code: "version_mismatch" },
    });
    expect(story.tell({ ...update(), currentVersion: "v1" })).toMatchObject({ kind: "accepted" });
  });

  it("is refused while something else is going on, or is owed", () => {
    const story = running();
    story.tell(stop);
    expect(story.tell(update())).toMatchObject({ refusal: { code: "busy", retryAfterMs: 1_000 } });
    story.tell(start);
    story.finish();
    expect(story.tell(update())).toMatchObject({ refusal: { code: "busy" } });
  });
});

describe("destroying", () => {
  it("kills what runs, keeps its exit, and removes everything", () => {
    const story = running();
    expect(story.tell(destroy)).toMatchObject({ refusal: { code: "wrong_state" } });
    story.tell(forceDestroy);
    expect(story.steps).toEqual([
      "send-signal",
      "await-exit",
      "remove-container",
      "remove-network",
      "remove-rootfs",
      "remove-logs",
    ]);
    expect(story.machine.operation?.steps[0]?.input).toMatchObject({ signal: "SIGKILL" });
    story.settle();
    expect(story.machine).toMatchObject({ state: "destroyed", holdsResources: false, lastExit: {} });
  });

  it("that cannot be done is never given up", () => {
    const story = stopped();
    story.tell(destroy);
    for (let tries = 0; tries < 5; tries += 1) story.report(gone);
    expect(story.machine).toMatchObject({ state: "destroying", operation: { lastError: gone.error } });
    expect(story.settle().state).toBe("destroyed");
  });

  it.each([start, stop, restart, update()])("lets nothing else happen any more: $type", (command) => {
    const story = stopped();
    story.tell(destroy);
    expect(story.tell(command)).toMatchObject({ refusal: { code: "wrong_state" } });
    story.settle();
    expect(story.tell(command)).toMatchObject({ refusal: { code: "wrong_state" } });
    expect(story.tell(destroy)).toEqual({ kind: "unchanged" });
  });
});

describe("suspending", () => {
  it("goes by the table; a machine that runs nothing cannot be suspended", () => {
    const story = running();
    story.tell({ type: "SuspendMachine" });
    expect(story.tell({ type: "SuspendMachine" })).toEqual({ kind: "unchanged" });
    expect(story.settle().machine).toMatchObject({ state: "suspended", holdsResources: false });
    story.tell(start);
    expect(story.settle().state).toBe("started");
    expect(stopped().tell({ type: "SuspendMachine" })).toMatchObject({ refusal: { code: "wrong_state" } });
  });

  it("that fails leaves a failed machine whose process still counts, and is killed before the next start", () => {
    const story = running();
    story.tell({ type: "SuspendMachine" });
    story.report(gone);
    expect(story.machine).toMatchObject({ state: "failed", holdsResources: true });
    story.tell(start);
    expect(story.steps.slice(0, 3)).toEqual(["send-signal", "await-exit", "remove-container"]);
  });
});

describe("cordon", () => {
  it("says what routers may do and leaves all else as it is, also in the middle of an operation", () => {
    const story = running();
    story.tell(stop);
    expect(story.tell({ type: "CordonMachine", commandId: "by hand" })).toMatchObject({
      event: { type: "MachineCordoned", data: { commandId: "by hand", origin: "user" } },
    });
    expect(story.tell({ type: "CordonMachine" })).toEqual({ kind: "unchanged" });
    expect(story.finish().state).toBe("stopped");
    expect(story.machine.isCordoned).toBe(true);
    expect(story.tell({ type: "UncordonMachine" })).toMatchObject({ event: { type: "MachineUncordoned" } });
    expect(story.machine).not.toHaveProperty("isCordoned");
    expect(story.tell({ type: "CordonMachine", commandId: "by hand" })).toEqual({ kind: "unchanged" });
    expect(story.tell({ type: "UncordonMachine" })).toEqual({ kind: "unchanged" });
  });

  it("is refused by a machine that goes, and for good", () => {
    const story = running();
    story.tell(forceDestroy);
    for (const type of ["CordonMachine", "UncordonMachine"] as const) {
      expect(story.tell({ type })).toMatchObject({ refusal: { code: "wrong_state" } });
    }
    story.settle();
    expect(story.tell({ type: "CordonMachine" })).toMatchObject({ refusal: { code: "wrong_state" } });
  });
});

describe("the transition table", () => {
  const commands = [
    start,
    stop,
    restart,
    destroy,
    forceDestroy,
    update(),
    { type: "SuspendMachine" } as const,
    { type: "CordonMachine" } as const,
    { type: "UncordonMachine" } as const,
  ];

  it.each(MACHINE_STATES)("is obeyed by every command in state %s, reachable or not", (state) => {
    for (const command of commands) {
      const story = running();
      if (isTransient(state)) story.tell(stop);
      story.machine = { ...story.machine, state };
      expect(["accepted", "unchanged", "refused"]).toContain(story.tell(command).kind);
    }
  });

  it("names every state, and leads out of all but the terminal ones", () => {
    expect(Object.keys(TRANSITIONS).sort()).toEqual([...MACHINE_STATES].sort());
    const deadEnds = MACHINE_STATES.filter((state) => TRANSITIONS[state].length === 0);
    expect(deadEnds).toEqual(["destroyed", "replaced", "migrated"]);
  });
});
