import { describe, expect, it } from "@jest/globals";
import type { HistoryEntry } from "#fleet";
import { formatHybridTime } from "#kernel";
import { machineEventJson } from "./event-json.ts";

function entry(more: Partial<HistoryEntry>): HistoryEntry {
  return {
    eventId: "01JEVENT",
    type: "MachineStarted",
    log: "L",
    sequence: 1,
    clock: formatHybridTime(1_764_000_000_000, 3),
    actor: "host:host-1",
    correlationId: "c",
    state: "started",
    instanceId: "v1",
    ...more,
  };
}

const exit = { exit_code: 137, guest_signal: 9, oom_killed: true, requested_stop: false, exited_at_ms: 0 };

describe("machineEventJson", () => {
  it("has the fields of the Machines API, in epoch milliseconds", () => {
    expect(machineEventJson(entry({}))).toEqual({
      id: "01JEVENT",
      type: "start",
      status: "started",
      source: "flyd",
      timestamp: 1_764_000_000_000,
    });
  });

  it("says whether a person or the host began it", () => {
    expect(machineEventJson(entry({ type: "MachineStopping", actor: "token:t1" }))?.source).toBe("user");
  });

  it("shows an exit with all that clients read of it, and whether the machine restarts", () => {
    const shown = machineEventJson(entry({ type: "MachineExited", state: "restarting", exit }));
    expect(shown).toMatchObject({
      type: "exit",
      request: {
        exit_event: {
          exit_code: 137,
          guest_exit_code: 137,
          guest_signal: 9,
          signal: 9,
          oom_killed: true,
          requested_stop: false,
          restarting: true,
          exited_at: "1970-01-01T00:00:00.000Z",
        },
      },
    });
    const stopped = machineEventJson(entry({ type: "MachineStopped", state: "stopped", exit }));
    expect(stopped).toMatchObject({ type: "exit", request: { exit_event: { restarting: false } } });
  });

  it("says why something failed", () => {
    const error = { code: "image_not_found", message: "no such image" };
    const shown = machineEventJson(entry({ type: "MachineLaunchFailed", state: "launch_failed", error }));
    expect(shown).toMatchObject({ type: "launch", status: "launch_failed", request: { error } });
  });

  it.each(["MachineIntentQueued", "MachineIntentDropped", "StepFailed", "CommandRefused"] as const)(
    "does not show %s: nothing has happened to the machine",
    (type) => {
      expect(machineEventJson(entry({ type }))).toBeUndefined();
    },
  );
});
