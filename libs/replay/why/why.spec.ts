import { describe, expect, it } from "@jest/globals";
import type { RequestTrace } from "#contracts";
import type { Moment } from "#fleet";
import { RefusedError } from "#kernel";
import { ListedHistory, type Stretch, Timeline } from "#timeline";
import { momentOf, timelineOf } from "../fleets.fixture.ts";
import type { Cause, Explanation } from "./explanation.ts";
import { ToldFleet } from "./told-fleet.fixture.ts";
import { why } from "./why.ts";

const NOW: Moment = { kind: "now" };
const CREATE = "01AAAAAAAAAAAAAAAAAAAACREA";
const LATE = "01AAAAAAAAAAAAAAAAAAAANEXT";
const WAKE = "01AAAAAAAAAAAAAAAAAAAAWAKE";

interface Asked {
  readonly at?: Moment;
  readonly trace?: RequestTrace;
  /** How long after the last event it is asked. */
  readonly laterMs?: number;
}

function ask(
  fleet: ToldFleet,
  id: string,
  { at = NOW, trace, laterMs = 0 }: Asked = {},
): Promise<Explanation> {
  const findTrace = async (requestId: string) => (requestId === trace?.requestId ? trace : undefined);
  return why(timelineOf(fleet.events()), { id }, at, findTrace, fleet.lastMs + laterMs);
}

/** As a hub reads: by the subject, and a reservation stands on its host's. */
class BySubject extends ListedHistory {
  override async *ordered(stretch: Stretch = {}) {
    for await (const batch of super.ordered(stretch)) {
      yield stretch.machineId === undefined
        ? batch
        : batch.filter(({ subject }) => !subject.endsWith(".host"));
    }
  }
}

/** The tree as lines, two spaces per level. */
function lines(causes: readonly Cause[], depth = 0): string[] {
  return causes.flatMap(({ kind, title, children }) => [
    `${"  ".repeat(depth)}${kind} ${title}`,
    ...lines(children, depth + 1),
  ]);
}

function oneMachine() {
  const fleet = new ToldFleet(1);
  for (const hostId of ["h1", "h2"]) fleet.join(hostId);
  let machineId = "";
  fleet.asks(CREATE, "token:ann", () => {
    machineId = fleet.create("h1");
  });
  fleet.rest("h1", machineId);
  return { fleet, machineId };
}

describe("why a machine is as it is", () => {
  it("goes down from the request to the command, the decision, the steps, the events and the route", async () => {
    const { fleet, machineId } = oneMachine();
    const { headline, causes, stuck } = await ask(fleet, machineId);
    expect(headline).toMatch(
      new RegExp(`^machine m-${machineId} \\(${machineId}\\) is started on h1 since `),
    );
    expect(stuck).toEqual([]);
    expect(lines(causes)).toEqual([
      `request request ${CREATE} of token:ann`,
      "  command ClaimMachineName by token:ann",
      `    event MachineNameClaimed: app=hello name=m-${machineId}`,
      "  command ReserveMachine by token:ann",
      "    event ReservationMade: app=hello epoch=1",
      "  command DecidePlacement by token:ann",
      "    decision placed on h1, epoch 1: no bid is written down",
      "      command CommitMachine by token:ann",
      "        operation create: over (MachineCreating)",
      "          step pull-image: done",
      "          step prepare: done",
      "          event MachineCreated",
      "          command StartMachine by host:h1: it was created in order to run",
      "            operation launch: over (MachineStarting)",
      "              step launch: done",
      "              event MachineStarted",
      "                route routers send requests to it",
    ]);
    const create = find(causes, "operation");
    expect(create).toMatchObject({ durationMs: 5, event: { type: "MachineCreating" } });
  });

  it("is told likewise by a history that has only a machine's own events when it is asked for these", async () => {
    const { fleet, machineId } = oneMachine();
    const timeline = new Timeline({ history: new BySubject(fleet.events()), onUnreadable: () => undefined });
    const told = await why(timeline, { id: machineId }, NOW, async () => undefined, fleet.lastMs);
    expect(lines(told.causes).filter((line) => line.includes("ReservationMade"))).toHaveLength(1);
    expect(told).toEqual(await ask(fleet, machineId));
  });

  it("of one whose process was killed for its memory: how it ended, what its policy did, and that from there on", async () => {
    const { fleet, machineId } = oneMachine();
    fleet.clock.jump(60_000);
    fleet.dies("h1", machineId, { exit_code: 137, oom_killed: true });
    fleet.rest("h1", machineId);
    const tree = lines((await ask(fleet, machineId)).causes);
    expect(tree.slice(tree.findIndex((line) => line.includes("RecordExit")))).toEqual([
      "command RecordExit by host:h1: its process ended by itself",
      "  operation recover: over (MachineExited): exit 137, out of memory; it is restarted, as its restart policy says",
      "    route routers send it no requests: it is restarting",
      "    step remove-container: done",
      "    step prepare: done",
      "    operation start: over (MachineStarting)",
      "      step launch: done",
      "      event MachineStarted",
      "        route routers send requests to it",
    ]);
  });

  it("as it was at a moment before", async () => {
    const { fleet, machineId } = oneMachine();
    const then = fleet.last("h1");
    fleet.asks(WAKE, "token:bob", () =>
      fleet.command("h1", machineId, { type: "StopMachine", origin: "user" }),
    );
    fleet.rest("h1", machineId);
    const now = await ask(fleet, machineId);
    expect(now.headline).toContain("is stopped on h1");
    expect(lines(now.causes)).toContain("  command StopMachine by token:bob");
    const before = await ask(fleet, machineId, { at: momentOf(then) });
    expect(before.headline).toContain("is started on h1");
    expect(lines(before.causes).join()).not.toContain("token:bob");
  });

  it("is asked by name, and refused by what is nothing", async () => {
    const { fleet, machineId } = oneMachine();
    const byId = await ask(fleet, machineId);
    expect(await ask(fleet, `m-${machineId}`)).toEqual(byId);
    expect(await ask(fleet, `hello/m-${machineId}`)).toEqual(byId);
    await expect(ask(fleet, "hello/nothing")).rejects.toThrow(RefusedError);
    await expect(ask(fleet, "01ZZZZZZZZZZZZZZZZZZZZZZZZ")).rejects.toThrow(/nothing is told of/);
  });
});

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

describe("why a request took its time", () => {
  it("is told stage by stage, the start that it caused below the stage that asked for it", async () => {
    const { fleet, machineId } = stopped();
    fleet.asks(WAKE, "router:r1", () =>
      fleet.command("h1", machineId, { type: "StartMachine", origin: "request", correlationId: WAKE }),
    );
    const trace = traceOf(WAKE, machineId, fleet.lastMs);
    fleet.rest("h1", machineId);
    const { headline, causes, events, ...rest } = await ask(fleet, WAKE, { trace });
    expect(headline).toContain("GET / of app hello, through r1");
    expect(rest).toMatchObject({ trace, stuck: [] });
    expect(events?.map(({ type }) => type)).toEqual(["MachineStarting", "MachineStarted"]);
    expect(lines(causes)).toEqual([
      "request GET /",
      "  wait held: it waits (stopped)",
      `  step asked ${machineId} on h1: its host is to start it`,
      "    command StartMachine by router:r1: a request waited for the machine",
      "      operation start: over (MachineStarting)",
      "        step launch: done",
      "        event MachineStarted",
      "          route routers send requests to it",
      `  step accepted ${machineId} on h1: its host has written the start down`,
      "  step first byte",
    ]);
    expect(causes[0]!.children.map(({ durationMs }) => durationMs)).toEqual([1, 3, 40, undefined]);
  });

  it("says that it joined the start of another", async () => {
    const { fleet, machineId } = stopped();
    fleet.asks(WAKE, "router:r1", () =>
      fleet.command("h1", machineId, { type: "StartMachine", origin: "request", correlationId: WAKE }),
    );
    const trace = traceOf(LATE, machineId, fleet.lastMs);
    fleet.rest("h1", machineId);
    const { causes, events } = await ask(fleet, LATE, { trace });
    expect(lines(causes)[3]).toContain(
      `joined a start that was under way, for ${WAKE}: StartMachine by router:r1`,
    );
    expect(events).toHaveLength(2);
  });

  it("is told of one to the API by what it set in motion", async () => {
    const { fleet, machineId } = oneMachine();
    const { headline, causes } = await ask(fleet, CREATE);
    expect(headline).toContain(`request ${CREATE} of token:ann`);
    expect(headline).toContain(`machine ${machineId}`);
    expect(lines(causes)[0]).toBe(`request request ${CREATE} of token:ann`);
  });
});

describe("why an operation or an event was", () => {
  it("is told in the tree that it is part of", async () => {
    const { fleet, machineId } = oneMachine();
    const { operation } = fleet.events().find(({ type }) => type === "MachineCreating")!.data as {
      operation: { id: string };
    };
    const ofOperation = await ask(fleet, operation.id);
    expect(ofOperation.headline).toBe(`operation ${operation.id} of machine ${machineId}`);
    expect(lines(ofOperation.causes)[0]).toBe(`request request ${CREATE} of token:ann`);
    const last = fleet.last("h1");
    const ofEvent = await ask(fleet, last.header.id);
    expect(ofEvent.headline).toBe(`event ${last.header.id}: MachineStarted of machine ${machineId}`);
    expect(ofEvent.causes).toEqual(ofOperation.causes);
  });

  it("is told of what belongs to no machine", async () => {
    const { fleet } = oneMachine();
    const app = fleet.events().find(({ type }) => type === "AppCreated")!;
    expect(lines((await ask(fleet, app.header.id)).causes)).toContain("  event AppCreated: app=hello");
  });
});

describe("why a host is as it is", () => {
  it("is told by what it said, who cordoned it, and what waits there", async () => {
    const { fleet, machineId } = stopped();
    fleet.command("h1", machineId, { type: "StartMachine", origin: "user" });
    const expiresAtMs = fleet.clock.nowMs() + 60_000;
    fleet.asks(CREATE, "token:ann", () =>
      fleet.decideHost("h1", { type: "Cordon", owner: "ann", reason: "new disk", expiresAtMs }),
    );
    const { causes, stuck, headline } = await ask(fleet, "h1");
    expect(headline).toContain("cordoned by ann");
    expect(lines(causes)).toContain("    event HostCordoned: why=new disk");
    expect(stuck[0]).toEqual({
      what: "whatever is to be placed on h1",
      sinceMs: fleet.lastMs,
      because: "ann cordoned it: new disk",
      releasedBy: `\`drover uncordon h1\`, or ${new Date(expiresAtMs).toISOString()}`,
    });
    expect(stuck[1]!.what).toContain(`the start of machine m-${machineId}`);
    expect((await ask(fleet, "h1", { laterMs: 70_000 })).stuck.map(({ what }) => what)).not.toContain(
      stuck[0]!.what,
    );
  });
});

function stopped() {
  const { fleet, machineId } = oneMachine();
  fleet.asks(CREATE, "token:ann", () =>
    fleet.command("h1", machineId, { type: "StopMachine", origin: "user" }),
  );
  fleet.rest("h1", machineId);
  fleet.clock.jump(10_000);
  return { fleet, machineId };
}

function traceOf(requestId: string, machineId: string, atMs: number): RequestTrace {
  const where = { machineId, hostId: "h1" };
  return {
    ...{ requestId, routerId: "r1", appName: "hello", method: "GET", path: "/", atMs, status: 200 },
    stages: [
      { stage: "held", afterMs: 0, reason: "stopped" },
      { stage: "asked", afterMs: 1, ...where },
      { stage: "accepted", afterMs: 4, ...where },
      { stage: "first_byte", afterMs: 44 },
    ],
  };
}

function find(causes: readonly Cause[], kind: Cause["kind"]): Cause | undefined {
  for (const cause of causes) {
    const found = cause.kind === kind ? cause : find(cause.children, kind);
    if (found !== undefined) return found;
  }
  return undefined;
}
