import { describe, expect, it } from "@jest/globals";
import { ask, CREATE, lines, oneMachine, stopped, WAKE } from "./asking.fixture.ts";
import { ToldFleet } from "./told-fleet.fixture.ts";

describe("what a machine waits for", () => {
  it("is its step: which attempt, since when, why, and what would release it", async () => {
    const { fleet, machineId } = stopped();
    fleet.command("h1", machineId, { type: "StartMachine", origin: "user" });
    const error = { code: "effect_failed", message: "runc said no" };
    fleet.goOn("h1", machineId, { kind: "retry", error });
    const sinceMs = fleet.lastMs;
    const { stuck, causes, headline } = await ask(fleet, machineId, { laterMs: 1_000 });
    expect(stuck).toEqual([
      {
        what: `the start of machine m-${machineId} (${machineId})`,
        sinceMs,
        because:
          "step launch, attempt 2 has no outcome yet; the one before failed: effect_failed: runc said no",
        releasedBy: `its host's runtime does it: it is tried again at ${new Date(sinceMs + 500).toISOString()}, 2 more times; \`drover destroy ${machineId} --force\` gives it up`,
      },
    ]);
    expect(headline).toContain("is starting on h1");
    const tree = lines(causes).map((line) => line.trim());
    expect(tree).toContain("step launch: under way, attempt 2, of 3 at the most");
    expect(tree).toContain("refusal attempt 1 failed: effect_failed: runc said no");
  });

  it("is the pause before a restart, which a stop ends", async () => {
    const { fleet, machineId } = oneMachine();
    for (const _ of [1, 2]) {
      fleet.dies("h1", machineId, { exit_code: 1 });
      if (fleet.host("h1").machines.get(machineId)!.restartsAtMs.length < 2) fleet.rest("h1", machineId);
    }
    const { stuck, headline } = await ask(fleet, machineId);
    expect(headline).toContain("is restarting (exit 1, restarted 2 times) on h1");
    expect(stuck).toMatchObject([
      {
        because: "its restart policy has it pause for 100 ms",
        releasedBy: `${new Date(fleet.lastMs + 100).toISOString()}; \`drover stop ${machineId}\` has it stay stopped`,
      },
    ]);
  });

  it("is a host that says nothing, once a step should have ended", async () => {
    const { fleet, machineId } = stopped();
    fleet.command("h1", machineId, { type: "StartMachine", origin: "user" });
    expect((await ask(fleet, machineId, { laterMs: 39_000 })).stuck).toHaveLength(1);
    const { stuck } = await ask(fleet, machineId, { laterMs: 41_000 });
    expect(stuck[1]).toMatchObject({ what: "a word of host h1", sinceMs: fleet.lastMs });
    expect(stuck[1]!.releasedBy).toContain("h1 running and connected again");
  });

  it("is the end of an operation, for what was asked meanwhile; which is told as its cause then", async () => {
    const { fleet, machineId } = stopped();
    fleet.asks(WAKE, "router:r1", () =>
      fleet.command("h1", machineId, { type: "StartMachine", origin: "request", correlationId: WAKE }),
    );
    fleet.asks(CREATE, "token:bob", () =>
      fleet.command("h1", machineId, { type: "StopMachine", origin: "user" }),
    );
    const { stuck } = await ask(fleet, machineId);
    expect(stuck[1]).toMatchObject({ because: "its start has to end first" });
    fleet.rest("h1", machineId);
    const { causes } = await ask(fleet, machineId);
    const tree = lines(causes);
    const queued = tree.findIndex(
      (line) => line.includes("MachineIntentQueued: intent=stop") || line.includes("intent=stop"),
    );
    expect(tree[queued + 1]).toContain("command StopMachine by host:h1");
    expect(tree[queued + 2]).toContain("operation stop: over");
  });

  it("is a host with room, when none took it: each says why, and what would change its mind", async () => {
    const fleet = new ToldFleet(2);
    fleet.join("h1");
    const machineId = fleet.ids.machineId();
    const refusals = [
      { hostId: "h1", code: "cordoned", message: "host h1 is cordoned by ann" },
      { hostId: "h2", code: "insufficient_capacity", message: "host h2 has no room" },
    ];
    const error = { code: "insufficient_capacity", message: "no host took it" };
    fleet.asks(CREATE, "token:ann", () =>
      fleet.decideControl({
        type: "RefusePlacement",
        machineId,
        appName: "hello",
        epoch: 1,
        refusals,
        error,
      }),
    );
    const name = { appName: "hello", name: "web", machineId, atMs: 1 };
    fleet.decideControl({ type: "ClaimMachineName", ...name });
    const { stuck, causes, headline } = await ask(fleet, "hello/web");
    expect(headline).toContain("machine web");
    expect(headline).toContain("on no host");
    expect(stuck).toEqual([
      {
        what: `a host for machine ${machineId}`,
        sinceMs: expect.any(Number),
        because: "h1: cordoned: host h1 is cordoned by ann; h2: insufficient_capacity: host h2 has no room",
        releasedBy: expect.stringMatching(
          /^`drover uncordon h1`.*; room on h2.*; then the same create again$/,
        ),
      },
    ]);
    expect(lines(causes)).toContain("      refusal h1 refused: cordoned: host h1 is cordoned by ann");
  });

  it("is its host's confirmation, while that has told of none", async () => {
    const fleet = new ToldFleet(3);
    fleet.join("h1");
    const machineId = fleet.ids.machineId();
    const placed = { machineId, appName: "hello", hostId: "h1", epoch: 1, region: "local" };
    fleet.decideControl({ type: "DecidePlacement", ...placed, candidates: [], refusals: [] });
    const { stuck } = await ask(fleet, machineId);
    expect(stuck).toMatchObject([
      { what: `machine ${machineId}, placed on h1`, because: "h1 has not confirmed it" },
    ]);
  });

  it("is a start, of one that failed for good", async () => {
    const { fleet, machineId } = stopped();
    fleet.command("h1", machineId, { type: "StartMachine", origin: "user" });
    fleet.goOn("h1", machineId, {
      kind: "terminal",
      error: { code: "image_invalid", message: "no such program" },
    });
    const { stuck, causes } = await ask(fleet, machineId);
    expect(stuck).toMatchObject([{ because: "image_invalid: no such program", sinceMs: fleet.lastMs }]);
    expect(stuck[0]!.releasedBy).toContain(`drover start ${machineId}`);
    expect(lines(causes).map((line) => line.trim())).toContain("step launch: given up");
  });
});
