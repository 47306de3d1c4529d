import { describe, expect, it } from "@jest/globals";
import { freePort } from "#testing";
import { HealthServer } from "./health-server.ts";
import { Metrics } from "./metrics.ts";

describe("HealthServer", () => {
  it("is alive from the start, and ready when all that it requires works", async () => {
    const health = new HealthServer(new Metrics());
    let works = false;
    health.require("bus", () => {
      if (!works) throw new Error("no connection");
    });
    expect((await health.answer("/healthz")).status).toBe(200);
    const before = await health.answer("/readyz");
    expect(before.status).toBe(503);
    expect(JSON.parse(before.body)).toMatchObject({ failures: { bus: "no connection" } });
    works = true;
    expect((await health.answer("/readyz")).status).toBe(200);
  });

  it("does not wait for ever for a check that hangs", async () => {
    const health = new HealthServer(new Metrics());
    health.require("disk", () => new Promise(() => undefined));
    expect((await health.answer("/readyz")).status).toBe(503);
  });

  it("serves over HTTP, and says who cannot have the port", async () => {
    const at = { host: "127.0.0.1", port: await freePort() };
    const health = new HealthServer(new Metrics());
    await health.listen(at);
    const answer = await fetch(`http://127.0.0.1:${at.port}/readyz?verbose`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ready", checks: [] }]);
    const second = new HealthServer(new Metrics()).listen(at);
    await expect(second).rejects.toMatchObject({ refusal: { code: "port_taken" } });
    await health.close();
  });

  it("says of itself what the process tells it to, when it is ready, and shows its pages", async () => {
    const health = new HealthServer(new Metrics());
    let ageMs = 1;
    health.tell("routes", () => ({ age_ms: ageMs }));
    health.show("/routes", () => ["a"]);
    ageMs = 2;
    expect(JSON.parse((await health.answer("/readyz")).body)).toEqual({
      status: "ready",
      checks: [],
      routes: { age_ms: 2 },
    });
    expect(await health.answer("/routes")).toMatchObject({ status: 200, body: '["a"]\n' });
    expect((await health.answer("/route")).status).toBe(404);
  });

  it("shows metrics in Prometheus' text format", async () => {
    const metrics = new Metrics();
    const count = metrics.counter("drover_appends_total", "Appends acknowledged.");
    metrics.gauge("drover_machines", "Machines.", () => 3);
    metrics.gauge("drover_broken", "Cannot be read.", () => JSON.parse("{"));
    metrics.counter("drover_answers_total", "Answers.", { class: "2xx" })(7);
    metrics.counter("drover_answers_total", "Answers.", { class: "5xx" });
    const waited = metrics.histogram("drover_wait_seconds", "Waits.", [0.1, 1]);
    waited(0.5);
    count();
    count(2);
    const { body } = await new HealthServer(metrics).answer("/metrics");
    expect(body).toContain("# TYPE drover_appends_total counter\ndrover_appends_total 3\n");
    expect(body).toContain("drover_machines 3\n");
    expect(body).toContain("drover_broken NaN\n");
    expect(body).toContain(
      '# TYPE drover_answers_total counter\ndrover_answers_total{class="2xx"} 7\ndrover_answers_total{class="5xx"} 0\n',
    );
    expect(body).toContain(
      'drover_wait_seconds_bucket{le="0.1"} 0\ndrover_wait_seconds_bucket{le="1"} 1\ndrover_wait_seconds_bucket{le="+Inf"} 1\ndrover_wait_seconds_sum 0.5\ndrover_wait_seconds_count 1\n',
    );
  });
});
