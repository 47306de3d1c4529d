import { describe, expect, it } from "@jest/globals";
import { SimulatedClock } from "#kernel";
import { Releases } from "./releases.ts";

const RUN = "01START";

function scene(...routers: string[]) {
  const clock = new SimulatedClock();
  const releases = new Releases(() => routers, clock);
  const say = (routerId: string, startId = RUN) => {
    const word = { routerId, released: [{ machineId: "m1", startId }] };
    releases.note(Buffer.from(JSON.stringify(word)));
  };
  const ending = new AbortController();
  let isOver = false;
  const begin = () => {
    const over = releases.released(RUN, ending.signal).then(() => {
      isOver = true;
    });
    return over;
  };
  return { clock, releases, say, begin, ending, routers, isOver: () => isOver };
}

describe("a process that is to be asked to end", () => {
  it("is asked when every router has let it go, whether they said so before or after", async () => {
    const { clock, say, begin, isOver } = scene("r1", "r2");
    say("r1");
    const over = begin();
    await clock.pass(500);
    say("r2", "01OTHER");
    await clock.pass(500);
    expect(isOver()).toBe(false);
    say("r2");
    await over;
  });

  it("is asked at once where there is no router", async () => {
    await scene().begin();
  });

  it("is asked after two seconds, or when it is given up, whoever is still silent", async () => {
    const late = scene("r1");
    const over = late.begin();
    await late.clock.pass(1_999);
    expect(late.isOver()).toBe(false);
    await late.clock.pass(1);
    await over;

    const stopped = scene("r1");
    const ended = stopped.begin();
    stopped.ending.abort();
    await ended;
  });

  it("does not wait for a router that fell silent meanwhile, and hears no nonsense", async () => {
    const { clock, releases, say, begin, routers } = scene("r1", "r2");
    const over = begin();
    for (const nonsense of ["", "null", "{}", '{"routerId":"r1","released":[7]}']) {
      releases.note(Buffer.from(nonsense));
    }
    await clock.pass(100);
    routers.splice(1, 1);
    say("r1");
    await over;
  });
});
