import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { canonicalHash, canonicalJson } from "#kernel";
import { isTerminal } from "#machines";
import { evolveHost } from "./evolve.ts";
import { holdingsOf, portKey } from "./holdings.ts";
import { configOf, HostStory, type Order } from "./host-story.ts";
import { emptyHost, type Host, hostFromJson, hostToJson } from "./state.ts";

const MEMORY_MIB = 1_000;
const MACHINES = ["00000000000001", "00000000000002", "00000000000003"];

const order = fc.record({
  machineId: fc.constantFrom(...MACHINES),
  epoch: fc.integer({ min: 1, max: 2 }),
  memoryMib: fc.constantFrom(16, 400, 400, 700, 4_000_000),
  hostPorts: fc.subarray([80, 81]),
  skipLaunch: fc.boolean(),
});

type Act =
  | { readonly kind: "offer" | "commit" | "expire" | "release"; readonly order: Order }
  | {
      readonly kind: "step" | "fail" | "owed" | "start" | "stop" | "destroy" | "exit";
      readonly machineId: string;
    }
  | { readonly kind: "update"; readonly order: Order }
  | { readonly kind: "cordon"; readonly forMs: number };

const onMachine = fc.constantFrom(...MACHINES);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("offer" as const, "commit" as const, "expire" as const, "release" as const),
      order,
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "step" as const,
        "step" as const,
        "step" as const,
        "owed" as const,
        "fail" as const,
      ),
      machineId: onMachine,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("start" as const, "stop" as const, "destroy" as const, "exit" as const),
      machineId: onMachine,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("update" as const), order }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cordon" as const), forMs: fc.nat(50) }) },
);
const acts = fc.array(act, { maxLength: 80 });

function perform(story: HostStory, act: Act): void {
  switch (act.kind) {
    case "offer":
      story.offer(act.order);
      return;
    case "commit":
      story.commit(act.order);
      return;
    case "expire":
    case "release":
      story.end(act.order, act.kind === "expire" ? "expired" : "released");
      return;
    case "update": {
      const { machineId, skipLaunch } = act.order;
      const config = configOf(act.order);
      story.tellMachine(machineId, {
        type: "UpdateMachine",
        config,
        instanceId: "v2",
        skipLaunch: skipLaunch ?? false,
      });
      return;
    }
    case "cordon":
      story.tell({ type: "Cordon", owner: "ops", reason: "test", expiresAtMs: story.atMs + act.forMs });
      return;
    default:
      if (story.host.machines.has(act.machineId)) performOn(story, act.machineId, act.kind);
  }
}

function performOn(
  story: HostStory,
  machineId: string,
  kind: "step" | "fail" | "owed" | "start" | "stop" | "destroy" | "exit",
): void {
  switch (kind) {
    case "step":
      // I8: what happened is never refused for want of room.
      expect(story.report(machineId).kind).not.toBe("refused");
      return;
    case "fail": {
      const error = { code: "effect_failed", message: "failed" };
      expect(story.report(machineId, { kind: "terminal", error }).kind).not.toBe("refused");
      return;
    }
    case "owed":
      story.giveOwed(machineId);
      return;
    case "start":
      story.tellMachine(machineId, { type: "StartMachine" });
      return;
    case "stop":
      story.tellMachine(machineId, { type: "StopMachine" });
      return;
    case "destroy":
      story.tellMachine(machineId, { type: "DestroyMachine", force: true });
      return;
    case "exit": {
      const how = { exit_code: 1, guest_signal: 0, oom_killed: false, requested_stop: false };
      const startId = story.machine(machineId).startId ?? "none";
      story.tellMachine(machineId, {
        type: "RecordExit",
        startId,
        exit: { ...how, exited_at_ms: story.atMs },
      });
    }
  }
}

function play(acts: Act[], after: (story: HostStory) => void = () => {}): HostStory {
  const story = new HostStory(MEMORY_MIB);
  for (const act of acts) {
    for (const machine of story.host.machines.values()) deepFreeze(machine);
    perform(story, act);
    after(story);
  }
  return story;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/** What a host holds, counted from scratch. */
function countedOf({ machines, reservations, volumes, snapshots }: Host) {
  return holdingsOf({
    machines: machines.values(),
    reservations: reservations.values(),
    volumes: volumes.values(),
    snapshots: snapshots.values(),
  });
}

/** Who holds each port, counted from scratch. */
function holdersOfPorts(host: Host): string[] {
  const machines = [...host.machines.values()].filter(({ state }) => !isTerminal(state));
  return [
    ...machines.flatMap(({ id, config, beforeUpdate }) =>
      [...new Set([...(config.publish ?? []), ...(beforeUpdate?.config.publish ?? [])].map(portKey))].map(
        (port) => `${port} ${id}`,
      ),
    ),
    ...[...host.reservations.values()].flatMap(({ machineId, ports }) =>
      ports.map((port) => `${portKey(port)} ${machineId}`),
    ),
  ];
}

describe("I8: a host, whatever it is asked in whatever order", () => {
  it("never promises more memory than it has, nor one port twice; its running totals are right", () => {
    fc.assert(
      fc.property(acts, (plot) => {
        play(plot, ({ host }) => {
          expect(host.holdings.promised.memoryMib).toBeLessThanOrEqual(MEMORY_MIB);
          const holders = holdersOfPorts(host);
          expect(new Set(holders.map((holder) => holder.split(" ")[0])).size).toBe(holders.length);
          const counted = countedOf(host);
          expect(canonicalJson({ ...host.holdings, addresses: [...host.holdings.addresses].sort() })).toBe(
            canonicalJson({ ...counted, addresses: [...counted.addresses].sort() }),
          );
        });
      }),
      { numRuns: 600 },
    );
  });

  it("makes a machine at most once, and never after it refused its commit in that epoch or a later one", () => {
    fc.assert(
      fc.property(acts, (plot) => {
        const made = new Set<string>();
        const refusedUpTo = new Map<string, number>();
        for (const { event } of play(plot).events) {
          if (event.type === "CommitRefused") {
            const { machineId = "", epoch } = event.data;
            refusedUpTo.set(machineId, Math.max(epoch, refusedUpTo.get(machineId) ?? 0));
          }
          if (event.type !== "MachineCreating") continue;
          const { machineId, epoch } = event.data;
          expect(made.has(machineId)).toBe(false);
          made.add(machineId);
          expect(epoch).toBeGreaterThan(refusedUpTo.get(machineId) ?? 0);
        }
      }),
      { numRuns: 600 },
    );
  });

  it("keeps at most one reservation for a machine, and none for one that is here", () => {
    fc.assert(
      fc.property(acts, (plot) => {
        play(plot, ({ host }) => {
          const reserved = [...host.reservations.values()].map(({ machineId = "" }) => machineId);
          expect(new Set(reserved).size).toBe(reserved.length);
          expect(reserved.filter((machineId) => host.machines.has(machineId))).toEqual([]);
        });
      }),
      { numRuns: 200 },
    );
  });

  it("can always be brought to rest", () => {
    fc.assert(
      fc.property(acts, (plot) => {
        const story = play(plot);
        for (const machineId of story.host.machines.keys()) {
          expect(story.settle(machineId).queued).toBeUndefined();
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("I4: the fold", () => {
  it("from a checkpoint at any place gives what the fold from the start gives", () => {
    fc.assert(
      fc.property(acts, fc.nat(100), (plot, cut) => {
        const { events, host } = play(plot);
        const before = emptyHost();
        for (const { event, atMs } of events.slice(0, cut)) evolveHost(before, event, atMs);
        const restored = hostFromJson(JSON.parse(JSON.stringify(hostToJson(before))));
        for (const { event, atMs } of events.slice(cut)) evolveHost(restored, event, atMs);
        expect(canonicalHash(hostToJson(restored))).toBe(canonicalHash(hostToJson(host)));
        expect(restored.holdings.promised).toEqual(host.holdings.promised);
      }),
      { numRuns: 300 },
    );
  });

  it("changes neither events nor the checkpoint that it goes on from", () => {
    fc.assert(
      fc.property(acts, acts, (plot, more) => {
        const checkpoint = hostToJson(play(plot).host);
        const story = play(more);
        const previous = { logId: "L0", sequence: 9, reason: "behind", state: checkpoint };
        const text = canonicalJson(checkpoint);
        const host = emptyHost();
        const opened = deepFreeze({ ...story.events[0]!.event.data, previous });
        evolveHost(host, { type: "HostLogOpened", data: opened as never }, 0);
        for (const { event, atMs } of story.events.slice(1)) evolveHost(host, deepFreeze(event), atMs);
        expect(canonicalJson(checkpoint)).toBe(text);
      }),
      { numRuns: 100 },
    );
  });
});
