import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { NatsConnection } from "@nats-io/transport-node";
import { BusClient, connectBus } from "#bus";
import { type AnswerOf, type schedulerCalls, subjects } from "#contracts";
import { HostLog } from "#event-log";
import { HybridClock, SystemClock, SystemIds } from "#kernel";
import { type NatsServer, startNatsServer } from "#testing";
import { mintCredential } from "#topology";
import { Registration } from "./registration.ts";

const HOST = "host-1";
const clock = new SystemClock();
const ids = new SystemIds(clock);
const hybridClock = new HybridClock(clock);

type Verdict = AnswerOf<typeof schedulerCalls.register>;

let server: NatsServer;
let nc: NatsConnection;
let log: HostLog;
let registration: Registration;
/** Ids of the events in the log. */
let eventIds: string[];

beforeEach(async () => {
  server = await startNatsServer();
  const { seed } = mintCredential("api");
  nc = await connectBus({ servers: [server.url], user: `agent-${HOST}`, seed, name: "test" });
  log = await HostLog.open(nc, { hostId: HOST, clock, ids });
  registration = new Registration(new BusClient(nc, ids), clock, ids, HOST, "local");
  eventIds = [];
  for (let count = 0; count < 3; count += 1) await append();
});
afterEach(async () => {
  await nc.close();
  await server.stop();
});

async function append(): Promise<void> {
  const id = ids.ulid();
  eventIds.push(id);
  const header = {
    id,
    version: 1,
    clock: hybridClock.tick(),
    causationId: id,
    correlationId: id,
    actor: "t",
  };
  const data = { hostId: HOST, alarm: "test", message: "m" };
  await log.append({ type: "HostAlarmRaised", data, subject: subjects.host(HOST), header });
}

/** A scheduler that answers so, after what happens meanwhile. */
function schedulerSays(
  answer: () => Omit<Verdict, "verdict">,
  meanwhile: () => Promise<void> = async () => {},
) {
  nc.subscribe(subjects.hostToScheduler(HOST, "register"), {
    callback: (_error, message) => {
      void meanwhile().then(() => {
        message.respond(JSON.stringify({ kind: "answer", answer: { verdict: "ok", ...answer() } }));
      });
    },
  });
}

describe("Registration", () => {
  it.each([
    ["ok", 3, () => eventIds[2]],
    ["ahead", 2, () => eventIds[1]],
    ["ahead", 0, () => ""],
    ["behind", 5, () => eventIds[2]],
    ["diverged", 3, () => "another"],
    ["diverged", 2, () => "another"],
    ["diverged", 5, () => "another"],
  ] as [string, number, () => string | undefined][])(
    "finds a log %s of which the hub holds %i events",
    async (verdict, hubSequence, hubEventId) => {
      schedulerSays(() => ({ hubSequence, hubEventId: hubEventId() ?? "" }));
      expect(await registration.ask(log)).toBe(verdict);
    },
  );

  it("does not take a log for behind because it went on while the question was under way", async () => {
    schedulerSays(
      () => ({ hubSequence: eventIds.length, hubEventId: eventIds[2]! }),
      async () => {
        await append();
        await append();
      },
    );
    expect(await registration.ask(log)).toBe("ok");
  });

  it("knows nothing when nobody answers", async () => {
    expect(await registration.ask(log)).toBeUndefined();
  });
});
