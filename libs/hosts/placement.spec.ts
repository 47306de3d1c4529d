import { describe, expect, it } from "@jest/globals";
import { bidOf } from "./bid.ts";
import { configOf, HostStory, type Order } from "./host-story.ts";

const A: Order = { machineId: "0000000000000a", epoch: 1, memoryMib: 400, hostPorts: [8080] };
const B: Order = { machineId: "0000000000000b", epoch: 1, memoryMib: 700, hostPorts: [] };
const C: Order = { machineId: "0000000000000c", epoch: 1, memoryMib: 100, hostPorts: [8080] };

describe("a placement", () => {
  it("is an offer that sets room aside, and a commit that makes the machine there", () => {
    const story = new HostStory(1_000);
    expect(story.offer(A)).toMatchObject({ event: { type: "ReservationMade" } });
    expect(story.host.holdings.promised.memoryMib).toBe(400);
    expect(story.commit(A)).toMatchObject({
      event: { type: "MachineCreating", data: { operation: { id: "0000000000000a-1" }, ipv4: "10.213.1.0" } },
    });
    expect(story.host.reservations.size).toBe(0);
    expect(story.host.holdings.promised.memoryMib).toBe(400);
  });

  it("changes nothing when its messages come again, in any order", () => {
    const story = new HostStory(1_000);
    story.offer(A);
    expect(story.offer(A)).toEqual({ kind: "unchanged" });
    story.commit(A);
    for (const repeat of [
      story.commit(A),
      story.offer(A),
      story.end(A, "released"),
      story.end(A, "expired"),
    ]) {
      expect(repeat).toEqual({ kind: "unchanged" });
    }
  });

  it("gives its room back when the offer is released or expires", () => {
    const story = new HostStory(1_000);
    story.offer(A);
    story.end(A, "expired");
    expect(story.host.holdings.promised.memoryMib).toBe(0);
    expect(story.offer(C)).toMatchObject({ kind: "accepted" });
  });

  it("is committed after its reservation expired as long as there is room", () => {
    const story = new HostStory(1_000);
    story.offer(A);
    story.end(A, "expired");
    expect(story.commit(A)).toMatchObject({ event: { type: "MachineCreating" } });
  });

  it("is committed though the host was cordoned after the offer", () => {
    const story = new HostStory(1_000);
    story.offer(A);
    story.tell({ type: "Cordon", owner: "ops", reason: "disk swap", expiresAtMs: story.atMs + 1_000 });
    expect(story.commit(A)).toMatchObject({ event: { type: "MachineCreating" } });
  });

  it("does not get more than it reserved without being asked again", () => {
    const story = new HostStory(1_000);
    story.offer(A);
    expect(story.commit({ ...A, memoryMib: 1_001 })).toMatchObject({ event: { type: "CommitRefused" } });
    expect(story.host.reservations.size).toBe(0);
  });
});

describe("a refused commit", () => {
  it("is written down, and stays refused when there is room again: another host may own the machine by then", () => {
    const story = new HostStory(1_000);
    story.offer(B);
    expect(story.commit(A)).toMatchObject({
      event: { type: "CommitRefused", data: { code: "insufficient_capacity", epoch: 1 } },
    });
    story.end(B, "released");
    expect(story.commit(A)).toMatchObject({ refusal: { code: "insufficient_capacity" } });
    expect(story.offer(A)).toMatchObject({ refusal: { code: "insufficient_capacity" } });
  });

  it("does not stand in the way of the next epoch", () => {
    const story = new HostStory(1_000);
    story.offer(B);
    story.commit(A);
    story.end(B, "released");
    expect(story.offer({ ...A, epoch: 2 })).toMatchObject({ kind: "accepted" });
    expect(story.commit({ ...A, epoch: 2 })).toMatchObject({ event: { type: "MachineCreating" } });
  });

  it("may have a reason that only the agent sees", () => {
    const story = new HostStory(1_000);
    story.offer(A);
    const seen = { code: "port_taken", message: "port 8080 is in use by another program" } as const;
    const refuse = { type: "RefuseCommit", reservationId: "0000000000000a-1", ...A, ...seen } as const;
    expect(story.tell(refuse)).toMatchObject({ event: { type: "CommitRefused", data: seen } });
    expect(story.commit(A)).toMatchObject({ refusal: seen });
    expect(story.host.reservations.size).toBe(0);
  });
});

describe("epochs", () => {
  it("F30: fence the messages of an earlier one", () => {
    const story = new HostStory(1_000);
    story.offer({ ...A, epoch: 2 });
    expect(story.offer(A)).toMatchObject({ refusal: { code: "stale_epoch" } });
    story.commit({ ...A, epoch: 2 });
    expect(story.commit(A)).toMatchObject({ refusal: { code: "stale_epoch", details: { epoch: 2 } } });
  });

  it("a newer reservation of a machine takes the place of its older one", () => {
    const story = new HostStory(1_000);
    story.offer({ ...B, memoryMib: 900 });
    expect(story.offer({ ...B, epoch: 2, memoryMib: 950 })).toMatchObject({ kind: "accepted" });
    expect(story.host.holdings.promised.memoryMib).toBe(950);
    expect(story.end(B, "expired")).toEqual({ kind: "unchanged" });
  });
});

describe("admission", () => {
  it("F25: counts what really is there, however much is asked", () => {
    const story = new HostStory(1_000);
    expect(story.offer({ ...A, memoryMib: 4_194_304 })).toMatchObject({
      refusal: {
        code: "insufficient_capacity",
        message: "host host-a has no room: 4194304 MiB of memory wanted, 1000 of 1000 free",
        details: { hostId: "host-a", free: { memoryMib: 1_000 } },
      },
    });
    story.offer(B);
    expect(story.offer(A)).toMatchObject({ refusal: { details: { free: { memoryMib: 300 } } } });
  });

  it("F25: takes nothing more in when the host turns out to have less, and goes on with what it has", () => {
    const story = new HostStory(1_000);
    story.offer(B);
    story.commit(B);
    story.settle(B.machineId);
    const less = { cpuMillis: 100_000, memoryMib: 500 };
    story.tell({ type: "MeasureCapacity", capacity: less, maxMachines: 10, features: ["container"] });
    expect(story.offer(C)).toMatchObject({ refusal: { details: { free: { memoryMib: -200 } } } });
    story.tellMachine(B.machineId, { type: "RestartMachine" });
    expect(story.settle(B.machineId).state).toBe("started");
    const smaller = configOf({ ...B, memoryMib: 600 });
    const update = { type: "UpdateMachine", config: smaller, instanceId: "v2", skipLaunch: false } as const;
    expect(story.tellMachine(B.machineId, update)).toMatchObject({ kind: "accepted" });
  });

  it("gives one port to one machine, also while that machine is stopped or only reserved", () => {
    const story = new HostStory(1_000);
    story.offer(A);
    const taken = { refusal: { code: "port_taken", details: { port: 8080, holder: A.machineId } } };
    expect(story.offer(C)).toMatchObject(taken);
    story.commit(A);
    story.settle(A.machineId);
    story.tellMachine(A.machineId, { type: "StopMachine" });
    story.settle(A.machineId);
    expect(story.offer(C)).toMatchObject(taken);
    story.tellMachine(A.machineId, { type: "DestroyMachine", force: false });
    story.settle(A.machineId);
    expect(story.offer(C)).toMatchObject({ kind: "accepted" });
  });

  it("keeps the ports of both configs while a machine is updated", () => {
    const story = new HostStory(1_000);
    story.commit(A);
    story.settle(A.machineId);
    const config = configOf({ memoryMib: 400, hostPorts: [9090] });
    story.tellMachine(A.machineId, { type: "UpdateMachine", config, instanceId: "v2", skipLaunch: false });
    for (const port of [8080, 9090]) {
      expect(story.offer({ ...C, hostPorts: [port] })).toMatchObject({ refusal: { code: "port_taken" } });
    }
    story.settle(A.machineId);
    expect(story.offer(C)).toMatchObject({ kind: "accepted" });
  });

  it("refuses a port that is asked for twice", () => {
    const story = new HostStory(1_000);
    expect(story.offer({ ...A, hostPorts: [1, 1] })).toMatchObject({ refusal: { code: "invalid" } });
  });

  it("F24: takes nothing in while cordoned, and says who, why; a cordon ends by itself", () => {
    const story = new HostStory(1_000);
    const cordon = { type: "Cordon", owner: "ops", reason: "disk swap" } as const;
    expect(story.tell({ ...cordon, expiresAtMs: 1 })).toMatchObject({ refusal: { code: "invalid" } });
    story.tell({ ...cordon, expiresAtMs: story.atMs + 1_000 });
    expect(story.offer(A)).toMatchObject({
      refusal: {
        code: "cordoned",
        message: expect.stringMatching(/^host host-a is cordoned by ops until \d{4}-.*Z: disk swap$/),
      },
    });
    expect(story.tell({ type: "ExpireCordon" })).toEqual({ kind: "unchanged" });
    story.atMs += 1_000;
    expect(story.offer(A)).toMatchObject({ kind: "accepted" });
    expect(story.tell({ type: "ExpireCordon" })).toMatchObject({
      event: { type: "HostUncordoned", data: { owner: "ops", reason: "expired" } },
    });
    expect(story.host.cordon).toBeUndefined();
  });

  it("F24: refuses a cordon that nobody will see the end of", () => {
    const story = new HostStory(1_000);
    const expiresAtMs = story.atMs + 31 * 86_400_000;
    expect(story.tell({ type: "Cordon", owner: "ops", reason: "later", expiresAtMs })).toMatchObject({
      refusal: { code: "invalid", message: expect.stringContaining("30 days") },
    });
  });

  it("takes no machine that needs what the host lacks, and says what it has", () => {
    const story = new HostStory(1_000);
    expect(story.offer({ ...A, features: ["container"] })).toMatchObject({ kind: "accepted" });
    const refused = story.offer({ ...B, memoryMib: 1, features: ["gpu", "container"] });
    expect(refused).toMatchObject({
      refusal: { code: "unsupported", message: "host host-a lacks gpu: it has container" },
    });
  });

  it("keeps a machine that is to be apart from those of its app, and from what is only reserved for them", () => {
    const story = new HostStory(1_000);
    story.offer(A);
    const apart = { ...C, hostPorts: [], isAlone: true };
    expect(story.offer(apart)).toMatchObject({
      refusal: { code: "insufficient_capacity", message: expect.stringContaining("a machine of app hello") },
    });
    story.end(A, "expired");
    expect(story.offer(apart)).toMatchObject({ kind: "accepted" });
    // Its own older reservation is no company.
    expect(story.offer({ ...apart, epoch: 2 })).toMatchObject({ kind: "accepted" });
    expect(story.commit({ ...apart, epoch: 2 })).toMatchObject({ event: { type: "MachineCreating" } });
    expect(story.host.holdings.machinesOfApp.get("hello")).toBe(1);
  });

  it("asks the same of a commit whose reservation has expired", () => {
    const story = new HostStory(1_000);
    story.offer(A);
    story.end(A, "expired");
    story.commit(B);
    expect(story.commit({ ...A, isAlone: true })).toMatchObject({ event: { type: "CommitRefused" } });
    expect(story.commit({ ...C, features: ["gpu"] })).toMatchObject({ event: { type: "CommitRefused" } });
  });

  it("stops at the most machines that the host may hold; destroyed ones do not count", () => {
    const story = new HostStory(1_000, 1);
    story.commit(A);
    expect(story.offer(C)).toMatchObject({ refusal: { code: "insufficient_capacity" } });
    story.settle(A.machineId);
    story.tellMachine(A.machineId, { type: "DestroyMachine", force: true });
    story.settle(A.machineId);
    expect(story.offer(C)).toMatchObject({ kind: "accepted" });
  });
});

describe("a bid", () => {
  const wanted = {
    machineId: "x",
    appName: "hello",
    resources: { cpuMillis: 62, memoryMib: 300 },
    ports: [],
  };

  it("says what is free, and how many machines of the app are here", () => {
    const story = new HostStory(1_000);
    story.commit(A);
    expect(bidOf(story.host, wanted, story.atMs)).toMatchObject({
      kind: "bid",
      free: { memoryMib: 600 },
      machineCount: 1,
      appMachineCount: 1,
    });
    story.offer({ ...C, hostPorts: [] });
    expect(bidOf(story.host, wanted, story.atMs)).toMatchObject({ machineCount: 2, appMachineCount: 2 });
  });

  it("F09: that is none says why, in the host's own words", () => {
    const story = new HostStory(200);
    expect(bidOf(story.host, wanted, story.atMs)).toMatchObject({
      kind: "no-bid",
      refusal: { code: "insufficient_capacity", message: expect.stringContaining("host-a") },
    });
  });
});
