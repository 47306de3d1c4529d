import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { encodeEvent, type RecordedEvent, subjects } from "#contracts";
import { liveMessage, Projection } from "#event-log";
import { FLEET_FOLD } from "#fleet";
import { formatHybridTime, SystemClock } from "#kernel";
import { SimulatedFleet } from "#testing";
import { MadeHub } from "./made-hub.fixture.ts";

const BACKLOG = 200_000;
const clock = new SystemClock();
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
let hub: MadeHub;
let fleet: SimulatedFleet;
beforeAll(async () => {
  fleet = new SimulatedFleet(3);
  for (const hostId of ["host-a", "host-b"]) fleet.join(hostId);
  hub = await MadeHub.start(fleet.controlLog);
  await hub.appendControl(fleet.logs.get(fleet.controlLog)!);
  await hub.arrive(fleet.events().filter(({ log }) => log !== fleet.controlLog));
}, 60_000);
afterAll(() => hub.stop());

/** Another event of a host, after those that it has. */
function alarm(hostId: string, sequence: number): RecordedEvent {
  const data = { hostId, alarm: "disk", message: `one of many: ${sequence}` };
  const header = {
    ...{ id: fleet.ids.ulid(), version: 1, clock: formatHybridTime(fleet.clock.nowMs() + sequence, 0) },
    ...{ causationId: "test", correlationId: "test", actor: `host:${hostId}` },
  };
  const { logId } = fleet.host(hostId);
  const subject = subjects.host(hostId);
  return { type: "HostAlarmRaised", data, subject, header, log: logId, sequence };
}

function heapMib(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

describe("F13: a host that comes back with very many events", () => {
  it("takes no more memory for more of them, and does not keep what others say live from being heard", async () => {
    const projection = await Projection.start({ nc: hub.nc, clock, fold: FLEET_FOLD });
    await projection.caughtUp;
    const [quiet, busy] = ["host-a", "host-b"].map((hostId) => fleet.host(hostId).logId);
    const start = fleet.logs.get(busy!)!.length;
    let [backlog, heap] = [0, 0];
    const heardAt: number[] = [];
    projection.onEvent(({ log }) => {
      if (log === quiet) heardAt.push(backlog);
      if (log !== busy) return;
      backlog += 1;
      if (backlog === BACKLOG / 4) heap = heapMib();
    });
    let isOver = false;
    const many = function* () {
      for (let index = 1; index <= BACKLOG; index += 1) yield alarm("host-b", start + index);
    };
    const coming = hub.bring(many()).finally(() => {
      isOver = true;
    });
    let live = 0;
    const delays: number[] = [];
    while (!isOver) {
      const event = alarm("host-a", fleet.logs.get(quiet!)!.length + live + 1);
      const { headers: carried, body } = liveMessage(encodeEvent(event, event));
      const sentMs = clock.monotonicMs();
      hub.nc.publish(subjects.live("host-a"), body, { headers: carried });
      live += 1;
      await projection.waitFor({ [event.log]: event.sequence }, 30_000);
      delays.push(clock.monotonicMs() - sentMs);
      await clock.sleep(50);
    }
    await coming;
    expect(await projection.waitFor({ [busy!]: start + BACKLOG }, 60_000)).toBe(true);
    expect(heapMib() - heap).toBeLessThan(16);
    expect(heardAt).toHaveLength(live);
    // Heard while the others were still coming, and not behind them.
    expect(heardAt.filter((at) => at > 0 && at < BACKLOG).length).toBeGreaterThan(5);
    expect(delays.sort((a, b) => a - b)[Math.floor(delays.length * 0.9)]).toBeLessThan(5_000);
    await projection.stop();
  }, 300_000);
});
