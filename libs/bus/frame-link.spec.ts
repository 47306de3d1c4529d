import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { SimulatedClock } from "#kernel";
import { type NatsServer, startNatsServer } from "#testing";
import { FrameLink, type LinkEnd } from "./frame-link.ts";

let server: NatsServer;
let nc: NatsConnection;
beforeAll(async () => {
  server = await startNatsServer();
  nc = await connect({ servers: server.url });
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});

let links = 0;
/** Both ends of a link; what each heard, and how it ended. */
async function pair() {
  links += 1;
  const subjects = [`link.${links}.a`, `link.${links}.b`] as const;
  const clock = new SimulatedClock();
  const open = async (sendsOn: string, hearsOn: string) => {
    const heard: string[] = [];
    const ended = Promise.withResolvers<LinkEnd>();
    const onFrame = (frame: Uint8Array) => void heard.push(Buffer.from(frame).toString());
    const link = await FrameLink.open({ nc, clock, sendsOn, hearsOn, onFrame, onEnd: ended.resolve });
    return { link, heard, ended: ended.promise };
  };
  const [a, b] = [await open(subjects[0], subjects[1]), await open(subjects[1], subjects[0])];
  a.link.begin();
  b.link.begin();
  return { a, b, clock, subjects };
}

describe("FrameLink", () => {
  it("brings all frames in order, both ways, until one side closes it", async () => {
    const { a, b } = await pair();
    for (let n = 0; n < 1_000; n += 1) a.link.send(Buffer.from(String(n)));
    b.link.send(Buffer.from("back"));
    a.link.close();
    expect(await b.ended).toBe("closed");
    expect(b.heard).toEqual(Array.from({ length: 1_000 }, (_, n) => String(n)));
  });

  it("is over for both when a message was lost", async () => {
    const { a, b, subjects } = await pair();
    a.link.send(Buffer.from("one"));
    nc.publish(subjects[0], Buffer.from([0, 0, 0, 0, 2, 1]));
    expect([await b.ended, await a.ended]).toEqual(["lost", "closed"]);
    expect(b.heard).toEqual(["one"]);
  });

  it("is over when the other side falls silent, and not while it says that it is there", async () => {
    const { a, b, clock } = await pair();
    for (let passes = 0; passes < 10; passes += 1) {
      await clock.pass(3_000);
      await nc.flush();
    }
    expect([a.link.isOver, b.link.isOver]).toEqual([false, false]);
    const ends: LinkEnd[] = [];
    const alone = await FrameLink.open({
      ...{ nc, clock, sendsOn: "nobody.hears", hearsOn: "nobody.speaks" },
      ...{ onFrame: () => {}, onEnd: (end: LinkEnd) => void ends.push(end) },
    });
    alone.begin();
    for (let passes = 0; passes < 5; passes += 1) await clock.pass(3_000);
    expect([ends, alone.isOver]).toEqual([["silent"], true]);
    a.link.close();
    await b.ended;
  });
});
