import { afterEach, describe, expect, it } from "@jest/globals";
import { refusal } from "#kernel";
import { type Answer, type LabMachine, RouterLab } from "../../apps/router/proxy/router-lab.fixture.ts";

const CROWD = 1_000;
const STARTED = { kind: "answer", answer: {} } as const;

function crowd(lab: RouterLab, count = CROWD): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, () => lab.fetch("/")));
}

/** How many answers there are of each kind. */
function tally(answers: readonly Answer[]): Record<string, number> {
  const kinds = answers.map(({ status, body }) =>
    status === 200 ? "200" : `${status} ${JSON.parse(body).status}`,
  );
  return Object.fromEntries(
    [...new Set(kinds)].map((kind) => [kind, kinds.filter((k) => k === kind).length]),
  );
}

describe("F33: a thousand requests wake one machine", () => {
  let lab: RouterLab;
  let machine: LabMachine;
  afterEach(() => lab.stop());

  async function asleep(limits: Parameters<typeof RouterLab.start>[0] = {}): Promise<void> {
    lab = await RouterLab.start(limits);
    machine = await lab.machine("m1", (_, response) => response.end("ok"), {
      route: { state: "stopped" },
      service: { autostop: "stop" },
    });
  }

  it("by one wake, and all are answered once its program listens", async () => {
    await asleep();
    const { internalPort: port } = machine.route.services[0]!;
    await new Promise((done) => machine.server.close(done));
    lab.host.answers = async () => {
      while (lab.metric("drover_router_requests_held") < CROWD) await pause();
      lab.routes.change("m1", { state: "started", startId: "start-2" });
      setTimeout(() => machine.server.listen(port, "127.0.0.1"), 100);
      return STARTED;
    };
    expect(tally(await crowd(lab))).toEqual({ "200": CROWD });
    expect(lab.host.asked).toHaveLength(1);
    expect(lab.metric("drover_router_wakes_total")).toBe(1);
    // Not a connection for each: those that are free are used again.
    expect(machine.sockets.length).toBeLessThan(CROWD);
    expect(lab.metric("drover_router_requests_held")).toBe(0);
    expect(lab.metric("drover_router_hold_seconds_count")).toBe(CROWD);
  });

  it("and no more wait than may: the rest are told at once", async () => {
    await asleep({ heldPerApp: 400 });
    const full = Promise.withResolvers<void>();
    lab.host.answers = async () => {
      await full.promise;
      lab.routes.change("m1", { state: "started" });
      return STARTED;
    };
    const answers = crowd(lab);
    while (lab.metric('drover_router_refused_total{code="queue_full"}') !== 600) await pause();
    expect(lab.metric("drover_router_requests_held")).toBe(400);
    full.resolve();
    expect(tally(await answers)).toEqual({ "200": 400, "503 queue_full": 600 });
    expect(lab.host.asked).toHaveLength(1);
  });

  it("in vain: all are told why, and the host was asked once", async () => {
    await asleep();
    lab.host.answers = async () => ({
      kind: "refused",
      refusal: refusal("insufficient_capacity", "no memory left"),
    });
    expect(tally(await crowd(lab))).toEqual({ "503 wake_failed": CROWD });
    // Said a moment ago, a no stands for those who come a moment later.
    expect(lab.host.asked.length).toBeLessThan(5);
  });

  it("that has room for a few at a time: they have their turns, and it never has more", async () => {
    await asleep();
    let now = 0;
    let most = 0;
    machine.server.removeAllListeners("request").on("request", (_, response) => {
      now += 1;
      most = Math.max(most, now);
      setImmediate(() => {
        now -= 1;
        response.end("ok");
      });
    });
    lab.routes.change("m1", { services: [{ ...machine.route.services[0]!, softLimit: 5, hardLimit: 10 }] });
    lab.host.answers = async () => {
      lab.routes.change("m1", { state: "started" });
      return STARTED;
    };
    expect(tally(await crowd(lab))).toEqual({ "200": CROWD });
    expect(most).toBeLessThanOrEqual(10);
  });

  it("through three routers that share its host: each asks once", async () => {
    await asleep();
    const others = [await RouterLab.start(), await RouterLab.start()];
    const labs = [lab, ...others];
    for (const other of others) other.routes.put(lab.routes.table.get("m1")!);
    const asked = Promise.withResolvers<void>();
    for (const { host, routes } of labs) {
      host.answers = async () => {
        if (labs.every((each) => each.host.asked.length === 1)) asked.resolve();
        await asked.promise;
        routes.change("m1", { state: "started", startId: "start-2" });
        return STARTED;
      };
    }
    const answers = await Promise.all(labs.map((each) => crowd(each, 333)));
    expect(tally(answers.flat())).toEqual({ "200": 999 });
    expect(labs.map(({ host }) => host.asked.length)).toEqual([1, 1, 1]);
    await Promise.all(others.map((other) => other.stop()));
  });
});

function pause(): Promise<void> {
  return new Promise((done) => setTimeout(done, 10));
}
