import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { IMAGE } from "../simulation/host-world.ts";
import { Plane, pause } from "./plane.ts";

let plane: Plane;
beforeAll(async () => {
  plane = await Plane.start(["host-1", "host-2"]);
}, 60_000);
afterAll(() => plane.stop());

interface ShownHost {
  readonly id: string;
  readonly agent_version: string | null;
  readonly cordon?: { readonly owner: string; readonly reason: string; readonly expires_at: string };
}

const hosts = async () => (await plane.ask<ShownHost[]>("GET", "/v1/platform/hosts")).body;
const tell = (hostId: string, verb: string, body: object) =>
  plane.ask<ShownHost & { error: string }>("POST", `/v1/platform/hosts/${hostId}/${verb}`, body);

describe("hosts", () => {
  it("are listed with what they have, what is free, who runs them, and when they were heard", async () => {
    while ((await hosts()).some((host) => host.agent_version === null)) await pause();
    const shown = await hosts();
    expect(shown.map(({ id }) => id)).toEqual(["host-1", "host-2"]);
    expect(shown[0]).toMatchObject({
      ...{ region: "local", status: "ok", features: ["container"], machines: 0, running: 0 },
      memory_mib: { promised: 0, capacity: 4_096, free: 4_096 },
      agent_version: "test",
      last_heard: expect.stringMatching(/Z$/),
    });
    const one = await plane.ask<ShownHost>("GET", "/v1/platform/hosts/host-2");
    expect(one.body).toMatchObject({ id: "host-2", cpu_millis: { free: 4_000 } });
    const none = await plane.ask("GET", "/v1/platform/hosts/host");
    expect([none.status, none.body.error]).toEqual([404, "no host host: there are host-1, host-2"]);
  }, 60_000);

  it("F24: are cordoned by somebody, for a reason, until a time, and machines go elsewhere meanwhile", async () => {
    for (const nonsense of [{}, { reason: " " }, { reason: "x", for: "0s" }, { reason: "x", for: "721h" }])
      expect((await tell("host-1", "cordon", nonsense)).status).toBe(400);
    expect((await tell("host-1", "cordon", { reason: "x", for: "31d" })).body).toMatchObject({
      error: expect.stringContaining("a duration is like 30s, 45m or 1h30m"),
    });
    const { status, body } = await tell("host-1", "cordon", { reason: "new disk", owner: "ana", for: "1h" });
    expect([status, body.cordon]).toMatchObject([200, { owner: "ana", reason: "new disk" }]);
    expect((await hosts())[0]?.cordon?.expires_at).toBe(body.cordon?.expires_at);

    await plane.ask("POST", "/v1/apps", { name: "app" });
    const create = () => plane.ask("POST", "/v1/apps/app/machines", { config: { image: IMAGE } });
    expect((await create()).body).toMatchObject({ drover: { host: "host-2" } });
    await tell("host-2", "cordon", { reason: "new roof", owner: "ben" });
    const refused = await create();
    expect([refused.status, refused.body.status]).toEqual([422, "insufficient_capacity"]);
    expect(refused.body.error).toMatch(/host-1 is cordoned by ana until .*Z: new disk/);

    expect((await tell("host-1", "uncordon", {})).body.cordon).toBeUndefined();
    expect((await tell("host-1", "uncordon", {})).status).toBe(200);
    expect((await create()).body).toMatchObject({ drover: { host: "host-1" } });
  }, 60_000);
});
