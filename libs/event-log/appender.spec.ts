import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { HostLog } from "./host-log.ts";
import { FencedError } from "./log-errors.ts";
import { eventsOf, TestLeaf } from "./test-leaf.fixture.ts";
import { TestLink } from "./test-link.fixture.ts";

let leaf: TestLeaf;
let link: TestLink;
beforeEach(async () => {
  leaf = await TestLeaf.start();
  link = await TestLink.to(leaf.server.port);
});
afterEach(async () => {
  await link.close();
  await leaf.stop();
});

async function openOverLink(): Promise<HostLog> {
  return leaf.openLog({ ackTimeoutMs: 300, maxInFlight: 32 }, await leaf.connect(link.url));
}

/** The ids of the events that stand in the log, seen by somebody else. */
async function storedIds(): Promise<string[]> {
  return (await eventsOf(await leaf.openLog())).map((event) => event.header.id);
}

describe("an append whose answer is lost", () => {
  it("is found in the stream, not written again", async () => {
    const log = await openOverLink();
    await log.append(leaf.event());
    link.loseAnswers();
    const events = Array.from({ length: 10 }, () => leaf.event());
    const appends = Promise.all(events.map((event) => log.append(event)));
    while ((await storedIds()).length < 11) await leaf.clock.sleep(20);
    link.break();
    expect(await appends).toEqual(events.map((_, index) => index + 2));
    expect((await storedIds()).slice(1)).toEqual(events.map((event) => event.header.id));
  });

  it("is another's event when somebody else has written meanwhile", async () => {
    const log = await openOverLink();
    link.loseAnswers();
    const append = log.append(leaf.event());
    append.catch(() => undefined);
    while ((await storedIds()).length < 1) await leaf.clock.sleep(20);
    await (await leaf.openLog()).append(leaf.event());
    const late = log.append(leaf.event());
    link.break();
    // The first one is stored, and known to be; only what follows is not.
    expect(await append).toBe(1);
    await expect(late).rejects.toThrow(FencedError);
  });
});

describe("F17: the server is killed with appends under way", () => {
  it("loses nothing that was acknowledged and writes nothing twice", async () => {
    const log = await openOverLink();
    const events = Array.from({ length: 400 }, () => leaf.event());
    let acked = 0;
    const appends = events.map((event) => log.append(event).then(() => (acked += 1)));
    for (const at of [50, 150, 300]) {
      while (acked < at) await leaf.clock.sleep(1);
      const known = acked;
      await leaf.server.kill();
      await leaf.server.restart();
      expect((await storedIds()).length).toBeGreaterThanOrEqual(known);
    }
    await Promise.all(appends);
    expect(await storedIds()).toEqual(events.map((event) => event.header.id));
  });

  it("holds whatever is lost, broken or killed, and whenever", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("append" as const), count: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ kind: fc.constantFrom("lose", "break", "kill", "wait") }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), async (steps) => {
        const log = await openOverLink();
        const before = log.lastSequence;
        const sent: string[] = [];
        const appends: Promise<number>[] = [];
        for (const one of steps) {
          switch (one.kind) {
            case "append":
              for (let index = 0; index < one.count; index += 1) {
                const event = leaf.event();
                sent.push(event.header.id);
                appends.push(log.append(event));
              }
              break;
            case "lose":
              link.loseAnswers();
              break;
            case "break":
              link.break();
              break;
            case "kill":
              await leaf.server.restart();
              break;
            case "wait":
              await leaf.clock.sleep(5);
          }
        }
        link.break();
        expect(await Promise.all(appends)).toEqual(sent.map((_, index) => before + index + 1));
        expect((await storedIds()).slice(before)).toEqual(sent);
        log.close();
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});

describe("F19: an agent that goes on after its log was replaced", () => {
  it.each(["retired", "retired and followed by another"])("is fenced once the log is %s", async (how) => {
    const log = await openOverLink();
    await log.append(leaf.event());
    await (await leaf.openLog()).retire("test");
    if (how !== "retired") await (await leaf.openLog()).append(leaf.event());
    await expect(log.append(leaf.event())).rejects.toThrow(FencedError);
  });
});
