import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { refusal } from "#kernel";
import { type Answer, RouterLab } from "./router-lab.fixture.ts";

const codeOf = ({ status, body }: Answer) => [status, JSON.parse(body).status];
const stagesOf = (lab: RouterLab) => lab.traces.map(({ stages }) => stages.map(({ stage }) => stage));
const STARTED = { kind: "answer", answer: {} } as const;

describe("Dispatcher", () => {
  let lab: RouterLab;
  afterEach(() => lab.stop());

  it("wakes a machine that sleeps, holds the request meanwhile, and tells how that went", async () => {
    lab = await RouterLab.start();
    const { route } = await lab.machine("m1", (_, response) => response.end("awake"), {
      route: { state: "stopped" },
      service: { autostop: "stop" },
    });
    lab.host.answers = async () => {
      lab.routes.change("m1", { state: "starting" });
      lab.routes.change("m1", { state: "started", startId: "start-2" });
      return STARTED;
    };
    const answer = await lab.fetch("/x?secret=1");
    expect(answer).toMatchObject({ status: 200, body: "awake" });
    const requestId = answer.headers["fly-request-id"];
    expect(lab.host.asked).toEqual([{ machineId: "m1", requestId }]);
    expect(lab.traces).toMatchObject([{ requestId, appName: "app", method: "GET", path: "/x", status: 200 }]);
    expect(stagesOf(lab)).toEqual([["held", "asked", "started", "held", "connected", "first_byte", "ended"]]);
    expect(lab.traces[0]!.stages[1]).toMatchObject({ machineId: "m1", hostId: route.hostId });
    expect(await lab.fetch("/")).toMatchObject({ status: 200 });
    expect(lab.host.asked).toHaveLength(1);
    expect(lab.traces).toHaveLength(1);
  });

  it("waits for the program of a machine that has just started to listen", async () => {
    lab = await RouterLab.start();
    const first = await lab.machine("gone", () => undefined, { route: { appName: "other" } });
    const { internalPort: port } = first.route.services[0]!;
    await first.die();
    lab.routes.put({ ...first.route, machineId: "m1", appName: "app", state: "stopped" });
    lab.host.answers = async () => {
      lab.routes.change("m1", { state: "started" });
      return STARTED;
    };
    const answers = Array.from({ length: 50 }, () => lab.fetch("/"));
    await metricIs(lab, "drover_router_requests_held", 50);
    await lab.machine("later", (_, response) => response.end("ok"), { port, route: { appName: "other" } });
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(lab.host.asked).toHaveLength(1);
  });

  it("refuses at once when a machine's program has not listened for long", async () => {
    lab = await RouterLab.start({ listenMs: 100 });
    const machine = await lab.machine("m1", () => undefined);
    await machine.die();
    const first = await lab.fetch("/");
    expect(codeOf(first)).toEqual([503, "connect_failed"]);
    expect(JSON.parse(first.body).error).toContain("m1");
    expect(codeOf(await lab.fetch("/", { method: "POST", body: "x" }))).toEqual([503, "connect_failed"]);
  });

  it("passes a host's own no on when there is no other machine, and goes elsewhere when there is", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", () => undefined, { route: { state: "stopped" } });
    const reason = refusal("insufficient_capacity", "no memory left", { retryAfterMs: 7_000 });
    lab.host.answers = async ({ machineId }) => {
      if (machineId === "m1") return { kind: "refused", refusal: reason };
      lab.routes.change("m2", { state: "started" });
      return STARTED;
    };
    const refused = await lab.fetch("/");
    expect(codeOf(refused)).toEqual([503, "wake_failed"]);
    expect(refused.headers["retry-after"]).toBe("7");
    expect(JSON.parse(refused.body).error).toContain("no memory left");
    await lab.machine("m2", (_, response) => response.end("elsewhere"), { route: { state: "stopped" } });
    expect(await lab.fetch("/")).toMatchObject({ status: 200, body: "elsewhere" });
  });

  it("says by the deadline that a machine did not start, or that its host cannot be asked", async () => {
    lab = await RouterLab.start({ holdMs: 100 });
    await lab.machine("m1", () => undefined, { route: { state: "stopped" } });
    expect(codeOf(await lab.fetch("/"))).toEqual([503, "host_unreachable"]);
    lab.host.answers = () => new Promise(() => undefined);
    await lab.machine("m2", () => undefined, { route: { state: "stopped", appName: "slow" } });
    expect(codeOf(await lab.fetch("/", { host: "slow.localhost" }))).toEqual([503, "wake_timeout"]);
    expect(lab.metric("drover_router_requests_held")).toBe(0);
  });

  it("uses a machine that runs although its host cannot be asked (F08, I11)", async () => {
    lab = await RouterLab.start();
    await lab.machine("m1", (_, response) => response.end("ok"), { service: { autostop: "stop" } });
    expect(await lab.fetch("/")).toMatchObject({ status: 200 });
    expect(lab.host.asked).toHaveLength(1);
  });

  it("holds no more than it may, and forgets a client that leaves", async () => {
    lab = await RouterLab.start({ heldPerApp: 2, held: 3 });
    lab.host.answers = () => new Promise(() => undefined);
    for (const appName of ["one", "two", "three"]) {
      await lab.machine(appName, () => undefined, { route: { appName, state: "stopped" } });
    }
    const clients = ["one", "one", "two"].map((app) => {
      const socket = connect(lab.port, "127.0.0.1");
      socket.write(`GET / HTTP/1.1\r\nHost: ${app}.localhost\r\n\r\n`);
      return socket;
    });
    await metricIs(lab, "drover_router_requests_held", 3);
    expect(codeOf(await lab.fetch("/", { host: "one.localhost" }))).toEqual([503, "queue_full"]);
    expect(codeOf(await lab.fetch("/", { host: "three.localhost" }))).toEqual([503, "queue_full"]);
    for (const socket of clients) socket.destroy();
    await metricIs(lab, "drover_router_requests_held", 0);
    expect(lab.metric('drover_router_requests_total{class="none"}')).toBe(3);
  });

  it("gives no machine more than it may have, and the rest their turn in order", async () => {
    lab = await RouterLab.start();
    const open: (() => void)[] = [];
    let most = 0;
    const order: string[] = [];
    await lab.machine(
      "m1",
      (request, response) => {
        order.push(request.url!);
        open.push(() => response.end());
        most = Math.max(most, open.length);
        if (open.length === 2) setTimeout(() => open.splice(0).map((end) => end()), 10);
      },
      { service: { softLimit: 1, hardLimit: 2 } },
    );
    const paths = Array.from({ length: 10 }, (_, n) => `/${n}`);
    const answers: Promise<Answer>[] = [];
    for (const path of paths) {
      answers.push(lab.fetch(path));
      await new Promise(setImmediate);
    }
    expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true);
    expect(most).toBe(2);
    expect(order).toEqual(paths);
  });

  it("wakes one more machine beside those that are all busy, and does not wait for it", async () => {
    lab = await RouterLab.start();
    const release = Promise.withResolvers<void>();
    await lab.machine("m1", (_, response) => void release.promise.then(() => response.end("m1")), {
      service: { softLimit: 1 },
    });
    await lab.machine("m2", () => undefined, { route: { state: "stopped" } });
    lab.host.answers = () => new Promise(() => undefined);
    const answers = [lab.fetch("/"), lab.fetch("/"), lab.fetch("/")];
    await metricIs(lab, "drover_router_requests_in_flight", 3);
    expect(lab.host.asked).toMatchObject([{ machineId: "m2" }]);
    release.resolve();
    expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(["m1", "m1", "m1"]);
  });

  it("counts what a machine has under way, tunnels and clients that left included", async () => {
    lab = await RouterLab.start();
    const machine = await lab.machine("m1", () => undefined);
    const socket = connect(lab.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n");
    await once(machine.server, "request");
    expect(lab.routes.uses.inFlight("m1")).toBe(1);
    socket.destroy();
    await once(machine.sockets[0]!, "close");
    expect(lab.routes.uses.inFlight("m1")).toBe(0);
  });
});

/** Waits for a number that says how far the router is. */
async function metricIs(lab: RouterLab, name: string, value: number): Promise<void> {
  while (lab.metric(name) !== value) await new Promise((done) => setTimeout(done, 5));
}
