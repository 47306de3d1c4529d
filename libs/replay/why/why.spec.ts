import { describe, expect, it } from "@jest/globals";
import type { RequestTrace } from "#contracts";
import { RefusedError } from "#kernel";
import { ListedHistory, type Stretch, Timeline } from "#timeline";
import { momentOf } from "../fleets.fixture.ts";
import { ask, CREATE, find, LATE, lines, NOW, oneMachine, stopped, WAKE } from "./asking.fixture.ts";
import { why } from "./why.ts";

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
