import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { ShownMachine } from "#testing";
import { IMAGE, OTHER_IMAGE } from "../simulation/host-world.ts";
import { Plane } from "./plane.ts";

const MACHINES = "/v1/apps/app/machines";

let plane: Plane;
beforeAll(async () => {
  plane = await Plane.start(["host-a", "host-b"]);
  await plane.ask("POST", "/v1/apps", { app_name: "app", org_slug: "personal" });
}, 60_000);
afterAll(() => plane.stop());

const of = (id: string, more = "") => `${MACHINES}/${id}${more}`;
const refused = (status: number, code: string) => ({ status, body: { status: code } });

async function create(more: Record<string, unknown> = {}): Promise<ShownMachine> {
  const answer = await plane.ask<ShownMachine>("POST", MACHINES, { config: { image: IMAGE }, ...more });
  expect(answer.status).toBe(200);
  return answer.body;
}

async function started(more: Record<string, unknown> = {}): Promise<string> {
  const { id } = await create(more);
  await reaches(id, "started");
  return id;
}

async function reaches(id: string, state: string): Promise<void> {
  expect(await plane.ask("GET", of(id, `/wait?state=${state}&timeout=30`))).toMatchObject({
    status: 200,
    body: { ok: true, state },
  });
}

async function settles(id: string): Promise<void> {
  expect(await plane.ask("GET", of(id, "/wait?state=settled&timeout=30"))).toMatchObject({ status: 200 });
}

async function stateOf(id: string): Promise<string> {
  return (await plane.ask<ShownMachine>("GET", of(id))).body.state;
}

async function list(query = ""): Promise<string[]> {
  const { status, body } = await plane.ask<ShownMachine[]>("GET", `${MACHINES}${query}`);
  expect(status).toBe(200);
  return body.map(({ id }) => id);
}

describe("apps", () => {
  it("are created once, listed, shown, and deleted when they are empty", async () => {
    const made = await plane.ask("POST", "/v1/apps", { name: "shop", org_slug: "acme", network: "n1" });
    expect(made).toMatchObject({
      status: 201,
      body: { id: expect.any(String), created_at: expect.any(Number) },
    });
    expect(await plane.ask("POST", "/v1/apps", { name: "shop" })).toMatchObject(refused(409, "name_taken"));
    const shown = { name: "shop", machine_count: 0, network: "n1", organization: { slug: "acme" } };
    expect(await plane.ask("GET", "/v1/apps/shop")).toMatchObject({ status: 200, body: shown });
    expect(await plane.ask("GET", "/v1/apps?org_slug=acme")).toMatchObject({
      body: { total_apps: 1, apps: [shown] },
    });
    expect(await plane.ask("DELETE", "/v1/apps/shop")).toMatchObject({ status: 202 });
    expect(await plane.ask("GET", "/v1/apps/shop")).toMatchObject(refused(404, "not_found"));
    expect(await plane.ask("POST", "/v1/apps", { name: "shop" })).toMatchObject({ status: 201 });
  });

  it("are not deleted while they have machines", async () => {
    await plane.ask("POST", "/v1/apps", { name: "busy" });
    const config = { image: IMAGE };
    await plane.ask("POST", "/v1/apps/busy/machines", { config, skip_launch: true });
    expect(await plane.ask("DELETE", "/v1/apps/busy")).toMatchObject(refused(412, "wrong_state"));
  });

  it.each([[{}], [{ name: "No" }], [{ name: 7 }], ["text"], [undefined]])("refuse %j", async (body) => {
    expect(await plane.ask("POST", "/v1/apps", body)).toMatchObject(refused(400, "invalid"));
  });

  it("that nobody made have no machines, whatever is asked of them", async () => {
    const missing = refused(404, "not_found");
    expect(await plane.ask("GET", "/v1/apps/nobody")).toMatchObject(missing);
    expect(await plane.ask("GET", "/v1/apps/nobody/machines")).toMatchObject(missing);
    expect(await plane.ask("POST", "/v1/apps/nobody/machines", { config: { image: IMAGE } })).toMatchObject(
      missing,
    );
    expect(await plane.ask("DELETE", "/v1/apps/nobody")).toMatchObject(missing);
    // An app's name is no pattern (F48).
    for (const name of ["ap", "*", "app.x", "%3E"]) {
      expect(await plane.ask("GET", `/v1/apps/${name}/machines`)).toMatchObject(missing);
    }
  });
});

describe("a machine", () => {
  it("is shown as it is created: its version, its config, its first event", async () => {
    const answer = await plane.ask("POST", MACHINES, {
      name: "shown",
      config: { image: IMAGE, env: { A: "b" } },
    });
    expect(answer.headers["drover-position"]).toMatch(/^[0-9A-Z]{26}:\d+$/);
    expect(answer.body).toMatchObject({
      name: "shown",
      region: "local",
      instance_id: expect.stringMatching(/^[0-9A-Z]{26}$/),
      config: { image: IMAGE, env: { A: "b" }, guest: { memory_mb: 256 } },
      host_status: "ok",
    });
    const id = answer.body.id as string;
    await reaches(id, "started");
    const shown = await plane.ask<{ events: { type: string; status: string }[] }>("GET", of(id));
    expect(shown.body.events.map(({ type, status }) => `${type} ${status}`)).toEqual([
      "start started",
      "start starting",
      "launch created",
      "launch creating",
    ]);
    expect(await plane.ask("GET", of(id, "/events?limit=1"))).toMatchObject({
      body: [{ status: "started" }],
    });
    expect(await plane.ask("GET", of(id, "/events?limit=0"))).toMatchObject(refused(400, "invalid"));
  });

  it("is found under its own app only", async () => {
    await plane.ask("POST", "/v1/apps", { name: "other" });
    const { id } = await create({ skip_launch: true });
    expect(await plane.ask("GET", `/v1/apps/other/machines/${id}`)).toMatchObject(refused(404, "not_found"));
    expect(await plane.ask("POST", `/v1/apps/other/machines/${id}/start`)).toMatchObject(
      refused(404, "not_found"),
    );
    expect(await plane.ask("DELETE", `/v1/apps/other/machines/${id}?force=true`)).toMatchObject(
      refused(404, "not_found"),
    );
    await settles(id);
    expect(await stateOf(id)).toBe("created");
  });

  it("is not found by a part of its id, or by what is no id", async () => {
    const { id } = await create({ skip_launch: true });
    expect(await plane.ask("GET", of(id.slice(0, 8)))).toMatchObject(refused(404, "not_found"));
    expect(await plane.ask("DELETE", of(id.slice(0, 8)))).toMatchObject(refused(404, "not_found"));
    expect(await plane.ask("GET", of("a.b"))).toMatchObject(refused(400, "invalid"));
    expect(await plane.ask("GET", of(encodeURIComponent("*")))).toMatchObject(refused(400, "invalid"));
  });

  it("keeps its name and region: an update that wants others is refused", async () => {
    const { id } = await create({ name: "fixed", skip_launch: true });
    const config = { image: OTHER_IMAGE };
    for (const wrong of [{ name: "renamed" }, { region: "elsewhere" }]) {
      expect(await plane.ask("POST", of(id), { config, ...wrong })).toMatchObject(refused(400, "invalid"));
    }
    const same = { name: "fixed", region: "local", config, skip_launch: true };
    expect(await plane.ask("POST", of(id), { ...same, current_version: "wrong" })).toMatchObject(
      refused(412, "version_mismatch"),
    );
    expect(await plane.ask("POST", of(id), same)).toMatchObject({ status: 200, body: { config } });
    await settles(id);
    expect((await plane.ask("GET", of(id))).body).toMatchObject({ state: "created", config });
  });
});

describe("creates that meet", () => {
  const machines = () => plane.hosts.flatMap(({ state }) => [...state.machines.values()]);

  it("with one Idempotency-Key make one machine, and all are told of it", async () => {
    const body = { name: "met-by-key", config: { image: IMAGE } };
    const send = () => plane.ask<ShownMachine>("POST", MACHINES, body, { "idempotency-key": "met" });
    const answers = await Promise.all([send(), send(), send(), send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(machines().filter(({ name }) => name === "met-by-key")).toHaveLength(1);
    expect(plane.hosts.flatMap(({ state }) => [...state.reservations.keys()])).toEqual([]);
  });

  it("with one name make one machine, and the others are told whose it is", async () => {
    const body = { name: "met-by-name", config: { image: IMAGE } };
    const answers = await Promise.all(Array.from({ length: 5 }, () => plane.ask("POST", MACHINES, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    expect(machines().filter(({ name }) => name === "met-by-name")).toHaveLength(1);
  });
});

describe("lists", () => {
  it("are filtered by state and region, and show what was destroyed on request only", async () => {
    await plane.ask("POST", "/v1/apps", { name: "listed" });
    const machines = "/v1/apps/listed/machines";
    const ids: string[] = [];
    for (const skip of [true, false, true]) {
      const { body } = await plane.ask("POST", machines, { config: { image: IMAGE }, skip_launch: skip });
      ids.push(body.id as string);
    }
    await plane.ask("GET", `${machines}/${ids[1]}/wait?state=started`);
    await plane.ask("DELETE", `${machines}/${ids[2]}`);
    await plane.ask("GET", `${machines}/${ids[2]}/wait?state=destroyed`);
    const listed = async (query: string) =>
      (await plane.ask<ShownMachine[]>("GET", `${machines}${query}`)).body
        .map(({ id }) => ids.indexOf(id))
        .sort();
    expect(await listed("")).toEqual([0, 1]);
    expect(await listed("?include_deleted=true")).toEqual([0, 1, 2]);
    expect(await listed("?include_deleted=true&state=destroyed")).toEqual([2]);
    expect(await listed("?state=started")).toEqual([1]);
    expect(await listed("?state=started,created")).toEqual([0, 1]);
    expect(await listed("?state=started&state=created")).toEqual([0, 1]);
    expect(await listed("?region=local")).toEqual([0, 1]);
    expect(await listed("?region=elsewhere")).toEqual([]);
    expect(await plane.ask("GET", `${machines}?state=running`)).toMatchObject(refused(400, "invalid"));
    const [summary] = (await plane.ask<Record<string, unknown>[]>("GET", `${machines}?summary=true`)).body;
    expect(Object.keys(summary!)).not.toContain("config");
    expect(await plane.ask("GET", "/v1/apps/listed")).toMatchObject({
      body: { machine_count: 2, status: "deployed" },
    });
  });

  it("hold what was just made", async () => {
    const made = await Promise.all([create(), create({ skip_launch: true })]);
    expect(await list()).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
  });
});

describe("start, stop, restart, destroy", () => {
  const json = { "content-type": "application/json" };

  it("take no body, an empty one, or one with a signal and a timeout", async () => {
    const id = await started();
    expect(await plane.ask("POST", of(id, "/stop"), undefined, json)).toMatchObject({
      status: 200,
      body: { ok: true },
    });
    await reaches(id, "stopped");
    expect(await plane.ask("POST", of(id, "/start"), undefined, json)).toMatchObject({
      status: 200,
      body: { previous_state: "stopped" },
    });
    await reaches(id, "started");
    expect(await plane.ask("POST", of(id, "/stop"), {})).toMatchObject({ status: 200 });
    await reaches(id, "stopped");
    await plane.ask("POST", of(id, "/start"));
    await reaches(id, "started");
    expect(await plane.ask("POST", of(id, "/stop"), { signal: "SIGTERM", timeout: "2s" })).toMatchObject({
      status: 200,
    });
    await reaches(id, "stopped");
  });

  it("refuse signals and timeouts that make no sense, and leave the machine as it was", async () => {
    const id = await started();
    for (const body of [{ signal: "SIGWINCH" }, { timeout: "6m" }, { timeout: {} }, "text"]) {
      expect(await plane.ask("POST", of(id, "/stop"), body)).toMatchObject(refused(400, "invalid"));
    }
    expect(await plane.ask("POST", of(id, "/restart?timeout=never"))).toMatchObject(refused(400, "invalid"));
    expect(await stateOf(id)).toBe("started");
    expect(await plane.ask("POST", of(id, "/restart?timeout=1s&signal=SIGTERM"))).toMatchObject({
      status: 200,
    });
    await reaches(id, "started");
  });

  it("may be repeated: what is so already is not done again", async () => {
    const id = await started();
    expect(await plane.ask("POST", of(id, "/start"))).toMatchObject({ status: 200 });
    for (let times = 0; times < 3; times += 1) {
      expect(await plane.ask("POST", of(id, "/stop"))).toMatchObject({ status: 200 });
    }
    await reaches(id, "stopped");
    for (let times = 0; times < 3; times += 1) {
      expect(await plane.ask("DELETE", of(id))).toMatchObject({ status: 200, body: { ok: true } });
    }
    await reaches(id, "destroyed");
  });

  it.each(["force=true", "kill=true"])("destroy what runs only with force (%s)", async (flag) => {
    const id = await started();
    expect(await plane.ask("DELETE", of(id))).toMatchObject(refused(412, "wrong_state"));
    expect(await plane.ask("DELETE", of(id, `?${flag}`))).toMatchObject({ status: 200 });
    await reaches(id, "destroyed");
    for (const verb of ["start", "stop", "restart"]) {
      expect(await plane.ask("POST", of(id, `/${verb}`))).toMatchObject(refused(412, "wrong_state"));
    }
    expect(await stateOf(id)).toBe("destroyed");
  });

  it("do not suspend: no host can yet", async () => {
    const id = await started();
    expect(await plane.ask("POST", of(id, "/suspend"))).toMatchObject(refused(501, "unsupported"));
    expect(await stateOf(id)).toBe("started");
  });
});

describe("wait", () => {
  it("answers with state, version and event, for any of several states", async () => {
    const { id, instance_id: version } = await create();
    const answer = await plane.ask("GET", of(id, "/wait?state=failed&state=started"));
    expect(answer).toMatchObject({ status: 200, body: { ok: true, state: "started", version } });
    const [last] = (await plane.ask<{ id: string }[]>("GET", of(id, "/events?limit=1"))).body;
    expect(answer.body.event_id).toBe(last?.id);
  });

  it("settled: at rest, with nothing owed", async () => {
    const { id } = await create();
    await plane.ask("POST", of(id, "/stop"));
    const answer = await plane.ask("GET", of(id, "/wait?state=settled&timeout=30"));
    expect(answer).toMatchObject({ status: 200, body: { state: "stopped" } });
  });

  it("gives up with 408 and says where the machine is", async () => {
    const { id } = await create({ skip_launch: true });
    await settles(id);
    const answer = await plane.ask("GET", of(id, "/wait?state=started&timeout=1"));
    expect(answer).toMatchObject(refused(408, "deadline_exceeded"));
    expect(answer.body.error).toMatch(/is created.*not started after 1 s/);
    expect(await plane.ask("GET", of(id, "/wait?timeout=61"))).toMatchObject(refused(400, "invalid"));
    expect(await plane.ask("GET", of(id, "/wait?state=created"))).toMatchObject(refused(400, "invalid"));
  });

  it("does not wait for what will never be", async () => {
    const { id } = await create({ skip_launch: true });
    await plane.ask("DELETE", of(id));
    await reaches(id, "destroyed");
    expect(await plane.ask("GET", of(id, "/wait?state=destroyed"))).toMatchObject({ status: 200 });
    const answer = await plane.ask("GET", of(id, "/wait?state=started"));
    expect(answer).toMatchObject(refused(412, "wrong_state"));
    expect(answer.body.error).toMatch(/is destroyed/);
    expect(await plane.ask("GET", of("d00000000000ff", "/wait"))).toMatchObject(refused(404, "not_found"));
  });

  it("waits for a version, and for what comes after an event", async () => {
    const { id, instance_id: first } = await create();
    await reaches(id, "started");
    expect(await plane.ask("GET", of(id, `/wait?version=${first}&timeout=1`))).toMatchObject({ status: 200 });
    expect(await plane.ask("GET", of(id, "/wait?instance_id=other&timeout=1"))).toMatchObject({
      status: 408,
    });
    const [last] = (await plane.ask<{ id: string }[]>("GET", of(id, "/events?limit=1"))).body;
    const after = of(id, `/wait?state=started&from_event_id=${last!.id}&timeout=1`);
    expect(await plane.ask("GET", after)).toMatchObject({ status: 408 });
    await plane.ask("POST", of(id, "/restart"));
    expect(await plane.ask("GET", after.replace("timeout=1", "timeout=30"))).toMatchObject({ status: 200 });
  });
});

describe("reads", () => {
  it("see what the reader's position says, and refuse what is none", async () => {
    const answer = await plane.ask("POST", MACHINES, { config: { image: IMAGE } });
    const position = answer.headers["drover-position"] as string;
    const at = { "drover-position": position };
    const read = await plane.ask<ShownMachine[]>("GET", MACHINES, undefined, at);
    expect(read.body.map(({ id }) => id)).toContain(answer.body.id);
    // Here is no database: a list comes from memory, says so, and lacks nothing.
    expect(read.headers).toMatchObject({ "drover-source": "memory" });
    expect(read.headers["drover-stale"]).toBeUndefined();
    const one = await plane.ask("GET", of(answer.body.id as string), undefined, at);
    expect(one.status).toBe(200);
    expect(one.headers["drover-stale"]).toBeUndefined();
  });

  it("say so when they do not reach the position in time", async () => {
    const read = await plane.ask("GET", MACHINES, undefined, {
      "drover-position": "01ARZ3NDEKTSV4RRFFQ69G5FAV:7",
    });
    expect(read).toMatchObject({ status: 200, headers: { "drover-stale": "true" } });
  });
});
