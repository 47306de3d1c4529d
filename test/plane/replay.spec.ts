import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type {
  ReplayAt,
  ReplayDiff,
  ReplayEntityState,
  ReplayExplanation,
  ReplayExport,
  ReplayExtent,
  ReplayStep,
  ReplaySteps,
  ReplayViolations,
} from "#contracts";
import type { ShownMachine } from "#testing";
import { IMAGE } from "../simulation/host-world.ts";
import { Plane, pause } from "./plane.ts";

let plane: Plane;
let base: string;
let headers: Record<string, string>;
let machineId: string;
let stepsSoFar: readonly ReplayStep[];

async function get<T>(path: string): Promise<T> {
  const { status, body } = await plane.ask<T>("GET", `/drover/v1/replay/${path}`);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body;
}

beforeAll(async () => {
  plane = await Plane.start(["host-1", "host-2"]);
  const { base: url, token } = await plane.listen();
  [base, headers] = [url, { authorization: `Bearer ${token}` }];
  await plane.ask("POST", "/v1/apps", { name: "web" });
  const made = await plane.ask<ShownMachine>("POST", "/v1/apps/web/machines", { config: { image: IMAGE } });
  machineId = made.body.id;
  for (const [verb, state] of [
    ["", "started"],
    ["stop", "stopped"],
    ["start", "started"],
  ]) {
    if (verb !== "") await plane.ask("POST", `/v1/apps/web/machines/${machineId}/${verb}`);
    await plane.ask("GET", `/v1/apps/web/machines/${machineId}/wait?state=${state}`);
  }
  stepsSoFar = (await get<ReplaySteps>("steps?after=0&limit=2000")).steps;
}, 120_000);
afterAll(() => plane.stop());

const stepOf = (type: string) => stepsSoFar.find((step) => step.type === type)!;

describe("history over the API", () => {
  it("has its extent, and every event with what it changed", async () => {
    const extent = await get<ReplayExtent>("extent");
    expect(extent.events).toBeGreaterThanOrEqual(stepsSoFar.length);
    expect(extent.firstMs).toBe(Math.min(...stepsSoFar.map(({ atMs }) => atMs)));
    expect(extent.buckets.reduce((sum, { events }) => sum + events, 0)).toBe(extent.events);
    const started = stepOf("MachineStarted");
    expect(started.about[0]).toBe(`machine/${machineId}`);
    const state = { entity: `machine/${machineId}`, path: "state", before: "starting", after: "started" };
    expect(started.changes).toContainEqual(state);
    const back = await get<ReplaySteps>(`steps?before=${started.id}&limit=1`);
    expect(back.steps).toEqual([started]);
    const only = await get<ReplaySteps>(`steps?after=0&entity=machine/${machineId}&type=MachineStopped`);
    expect(only.steps).toEqual([stepOf("MachineStopped")]);
  });

  it("has the whole plane, one entity with who set what, and differences, at any moment", async () => {
    const stopped = stepOf("MachineStopped");
    const m = `${stopped.log}:${stopped.sequence}@${stopped.clock}`;
    const then = await get<ReplayAt>(`at?m=${m}`);
    expect(then.hosts.map(({ id }) => id)).toEqual(["host-1", "host-2"]);
    expect(then.machines).toHaveLength(1);
    expect(then.machines[0]).toMatchObject({ id: machineId, facts: { state: "stopped", app: "web" } });
    expect(JSON.stringify(then)).not.toContain("config.");
    expect(await get<ReplayAt>(`at?m=${encodeURIComponent(then.position)}`)).toEqual(then);
    expect((await get<ReplayAt>("at")).machines[0]?.facts.state).toBe("started");

    const entity = await get<ReplayEntityState>(`entity?entity=machine/${machineId}&m=${m}`);
    expect(entity.facts["config.image"]).toBe(IMAGE);
    expect(entity.blame.find(({ path }) => path === "state")?.event?.id).toBe(stopped.id);

    const diff = await get<ReplayDiff>(`diff?a=${m}&b=now&entity=machine/${machineId}`);
    const change = diff.entities[0]?.changes.find(({ path }) => path === "state");
    expect(change).toMatchObject({ before: "stopped", after: "started", event: { type: "MachineStarted" } });
  });

  it("says why, and what must never have been", async () => {
    const why = await get<ReplayExplanation>(`why?kind=machine&id=${machineId}`);
    expect(why.headline).toContain(machineId);
    expect(JSON.stringify(why.causes)).toContain("decision");
    let found = await get<ReplayViolations>("violations");
    while (!found.done || found.checkedTo < stepOf("MachineStarted").atMs) {
      await pause(500);
      found = await get<ReplayViolations>("violations?until=now");
    }
    expect(found.violations).toEqual([]);
  }, 90_000);

  it("has the log as lines, of whom one asks for", async () => {
    const lines = async (query: string) => {
      const response = await fetch(`${base}/drover/v1/replay/log${query}`, { headers });
      expect(response.headers.get("content-type")).toBe("application/x-ndjson");
      const text = await response.text();
      return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
    };
    const last = stepsSoFar.at(-1)!;
    const until = `until=${last.log}:${last.sequence}@${last.clock}`;
    const all = await lines(`?${until}`);
    expect(all.map(({ header }) => header.id)).toEqual(stepsSoFar.map(({ id }) => id));
    const starts = await lines(`?app=web&type=MachineStarted&${until}`);
    expect(starts.map(({ type }) => type)).toEqual(["MachineStarted", "MachineStarted"]);
    expect(await lines(`?host=host-9&${until}`)).toEqual([]);
  });

  it("is exported as a test, without what the event does not need", async () => {
    const stopped = stepOf("MachineStopped");
    const { status, body } = await plane.ask<ReplayExport>("POST", "/drover/v1/replay/export", {
      event: stopped.id,
    });
    expect({ status, error: (body as { error?: string }).error }).toEqual({ status: 200 });
    expect(body.events).toBeLessThan(body.of);
    expect(body.fixture.name).toMatch(/\.ndjson$/);
    expect(body.fixture.text).toContain("MachineStopped");
    expect(body.test.name).toBe(body.fixture.name.replace(".ndjson", ".spec.ts"));
    expect(body.test.text).toContain(body.fixture.name);
  });

  it("follows what happens", async () => {
    await plane.ask("POST", `/v1/apps/web/machines/${machineId}/stop`);
    await plane.ask("GET", `/v1/apps/web/machines/${machineId}/wait?state=stopped`);
    const last = stepsSoFar.at(-1)!;
    let more: ReplaySteps = { steps: [], more: true };
    const isThere = () => more.steps.some(({ type }) => type === "MachineStopped");
    while (!isThere()) {
      more = await get<ReplaySteps>(`steps?after=${last.log}:${last.sequence}@${last.clock}`);
      await pause(50);
    }
    expect(more.more).toBe(false);
    expect((await get<ReplaySteps>(`steps?after=${more.reached}`)).steps).toEqual([]);
  });

  it("comes compressed to who takes that, and to nobody without a token", async () => {
    const url = `${base}/drover/v1/replay/steps?after=0&limit=2000`;
    const response = await fetch(url, { headers: { ...headers, "accept-encoding": "gzip" } });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(((await response.json()) as ReplaySteps).steps.slice(0, stepsSoFar.length)).toEqual(stepsSoFar);
    expect((await fetch(url)).status).toBe(401);
  });

  it.each([
    ["at?m=yesterday", 400, /^m: no moment: use now, a time/],
    ["at?m=01M88G9X643ZYBWX5F0C0SQ926", 404, /^the logs hold no event 01M88G9X643ZYBWX5F0C0SQ926$/],
    ["steps", 400, /^query: give after=MOMENT or before=MOMENT$/],
    ["steps?after=0&before=now", 400, /^query: give after=MOMENT or before=MOMENT$/],
    ["steps?after=0&limit=2001", 400, /^limit: .*2000/],
    ["steps?after=0&limit=many", 400, /^limit: /],
    ["steps?after=0&type=Machine", 400, /^type: no event has that type$/],
    ["steps?after=0&entity=machine", 400, /^entity: no entity: use machine\/ID/],
    ["steps?after=0&failures=1", 400, /^failures: true or false$/],
    ["steps?after=0&after=1", 400, /^after: /],
    ["entity?m=now", 400, /^entity: /],
    ["entity?entity=machine/00000000000000", 404, /^no machine\/00000000000000 at that moment$/],
    ["diff?a=now", 400, /^b: /],
    ["why?kind=fate&id=1", 400, /^kind: one of machine, volume/],
    ["why?kind=machine", 400, /^id: /],
    ["why?kind=machine&id=00000000000000", 404, /00000000000000/],
    ["log?type=x", 400, /^type: /],
    ["log?since=tomorrow", 400, /^since: no moment/],
    ["violations?until=x", 400, /^until: no moment/],
    ["nothing", 404, /drover\/v1\/replay\/nothing/],
  ])("refuses %s with one line", async (path, status, line) => {
    const answer = await plane.ask<{ error: string }>("GET", `/drover/v1/replay/${path}`);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatch(line);
    expect(answer.body.error).not.toContain("\n");
  });

  it.each([
    [{ entity: "machine/1", event: "1" }, /^body: name no more than one of entity, violation and event$/],
    [{ b: "some day" }, /^b: no moment/],
    [{ entity: "machine" }, /^entity: no entity/],
    [{ what: 1 }, /what/],
    [[], /./],
  ])("refuses to export %j", async (body, line) => {
    const answer = await plane.ask<{ error: string }>("POST", "/drover/v1/replay/export", body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(line);
  });
});

describe("the thread behind it", () => {
  it("is replaced when it is killed, and the next request is answered; the rest of the API goes on", async () => {
    await plane.api.replay.worker!.terminate();
    expect((await plane.ask("GET", "/drover/v1/status")).status).toBe(200);
    expect((await get<ReplaySteps>("steps?after=0&limit=5")).steps).toEqual(stepsSoFar.slice(0, 5));
  });

  it("has no memory of its own that matters: another API answers the same", async () => {
    await plane.forgetApi();
    expect((await get<ReplaySteps>("steps?after=0&limit=2000")).steps.slice(0, stepsSoFar.length)).toEqual(
      stepsSoFar,
    );
  });
});
