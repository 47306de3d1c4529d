import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Postgres, type ShownMachine, startPostgres } from "#testing";
import { type Answer, Plane, pause } from "../plane/plane.ts";
import { IMAGE } from "../simulation/host-world.ts";

const MACHINES = "/v1/apps/app/machines";

interface ReadModelJson {
  readonly state: string;
  readonly generation?: number;
  readonly events?: number;
  readonly quarantined?: number;
  readonly lag_events: number;
  readonly age_seconds: number | null;
  readonly trouble?: string;
  readonly filling?: { readonly generation: number };
  readonly build?: { readonly generation: number; readonly events: number; readonly within_budget: boolean };
}

let postgres: Postgres;
let plane: Plane;
beforeEach(async () => {
  postgres = await startPostgres();
  plane = await Plane.start(["host-a", "host-b"]);
  await plane.openDatabase(postgres.url);
  await plane.ask("POST", "/v1/apps", { name: "app" });
  await serving();
}, 60_000);
afterEach(async () => {
  await plane.stop();
  await postgres.stop();
});

async function status(): Promise<ReadModelJson> {
  return (await plane.ask<ReadModelJson>("GET", "/drover/v1/read-model")).body;
}

async function until(isSo: (now: ReadModelJson) => boolean): Promise<ReadModelJson> {
  for (;;) {
    const now = await status();
    if (isSo(now)) return now;
    await pause(20);
  }
}

const serving = () => until(({ state, lag_events: lag }) => state === "serving" && lag === 0);

async function started(name: string): Promise<string> {
  const made = await plane.ask<ShownMachine>("POST", MACHINES, { name, config: { image: IMAGE } });
  expect(made).toMatchObject({ status: 200 });
  expect(await plane.ask("GET", `${MACHINES}/${made.body.id}/wait?state=started`)).toMatchObject({
    status: 200,
  });
  return made.body.id;
}

async function list(): Promise<{
  readonly source: unknown;
  readonly stale: unknown;
  readonly names: string[];
}> {
  const { status: code, headers, body } = await plane.ask<ShownMachine[]>("GET", MACHINES);
  expect(code).toBe(200);
  const names = body.map(({ name }) => name);
  return { source: headers["drover-source"], stale: headers["drover-stale"], names };
}

async function eventIds(id: string): Promise<string[]> {
  const answer: Answer<{ id: string }[]> = await plane.ask("GET", `${MACHINES}/${id}/events?limit=50`);
  expect(answer).toMatchObject({ status: 200, headers: { "drover-source": "database" } });
  return answer.body.map((event) => event.id);
}

/** All that changes machines, with whatever the database does meanwhile. */
async function liveOn(name: string): Promise<string> {
  const id = await started(name);
  for (const command of ["stop", "start"]) {
    expect(await plane.ask("POST", `${MACHINES}/${id}/${command}`)).toMatchObject({ status: 200 });
    const state = command === "stop" ? "stopped" : "started";
    expect(await plane.ask("GET", `${MACHINES}/${id}/wait?state=${state}`)).toMatchObject({ status: 200 });
  }
  expect(await plane.ask("GET", `${MACHINES}/${id}`)).toMatchObject({
    status: 200,
    body: { state: "started" },
  });
  return id;
}

describe("F43: Postgres is down", () => {
  it("killed while serving: commands go on, lists are stale and say so; when it is back nothing is lost or doubled", async () => {
    const before = await liveOn("before");
    await serving();
    expect(await list()).toEqual({ source: "database", stale: undefined, names: ["before"] });
    const events = await eventIds(before);

    await postgres.kill();
    const during = await liveOn("during");
    expect(await list()).toEqual({ source: "memory", stale: "true", names: ["before", "during"] });
    expect(await plane.ask("GET", "/v1/orgs/personal/machines?limit=1")).toMatchObject({
      status: 200,
      headers: { "drover-stale": "true" },
      body: { machines: [{ name: "before" }], next_cursor: expect.any(String) },
    });
    expect(await plane.ask("POST", "/drover/v1/read-model/rebuild")).toMatchObject({
      status: 503,
      body: { status: "unreachable" },
    });
    expect(await status()).toMatchObject({ state: "unavailable", trouble: expect.any(String) });

    await postgres.restart();
    await serving();
    expect(await list()).toEqual({ source: "database", stale: undefined, names: ["before", "during"] });
    expect(await eventIds(before)).toEqual(events);
    const added = await eventIds(during);
    expect(new Set(added).size).toBe(added.length);
    expect(added).toHaveLength(events.length);
  }, 60_000);

  it("frozen: whoever asks waits for a bounded time, and nothing else waits at all", async () => {
    await liveOn("before");
    postgres.freeze();
    const began = performance.now();
    await liveOn("during");
    while ((await list()).stale !== "true") await pause(100);
    expect(await list()).toMatchObject({ source: "memory" });
    expect(performance.now() - began).toBeLessThan(30_000);
    postgres.thaw();
    await serving();
    expect(await list()).toMatchObject({ source: "database", names: ["before", "during"] });
  }, 90_000);
});

describe("F10: a full rebuild is needed now", () => {
  it("fills another generation while the old one is read, and takes its place with the same rows", async () => {
    const id = await liveOn("one");
    const events = await eventIds(id);
    const { generation = 0 } = await status();
    const begun = await plane.ask<{ generation: number }>("POST", "/drover/v1/read-model/rebuild");
    expect(begun).toMatchObject({ status: 202, body: { generation: generation + 1 } });
    // Readable at every moment of it.
    while ((await status()).generation === generation)
      expect(await list()).toMatchObject({ source: "database" });
    expect(await list()).toEqual({ source: "database", stale: undefined, names: ["one"] });
    expect(await eventIds(id)).toEqual(events);
    expect((await status()).build).toMatchObject({ generation: generation + 1, within_budget: true });
  }, 60_000);

  it("begins by itself where somebody dropped the tables, and answers from memory meanwhile", async () => {
    const id = await liveOn("one");
    const events = await eventIds(id);
    const { generation = 0 } = await status();
    await postgres.sql(`drop table "drover_plane_${generation}".machines cascade`);
    expect(await list()).toMatchObject({ source: "memory", stale: "true", names: ["one"] });
    await until((now) => now.state === "serving" && now.generation !== generation);
    expect(await list()).toMatchObject({ source: "database", names: ["one"] });
    expect(await eventIds(id)).toEqual(events);
  }, 60_000);

  it("goes on where it was when the API is killed in the middle of it", async () => {
    const id = await liveOn("one");
    const events = await eventIds(id);
    const { generation = 0 } = await status();
    await plane.ask("POST", "/drover/v1/read-model/rebuild");
    await plane.replace("api");
    await until(
      (now) => now.state === "serving" && now.generation === generation + 1 && now.lag_events === 0,
    );
    expect(await eventIds(id)).toEqual(events);
  }, 60_000);
});
