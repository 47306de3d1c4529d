import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { SystemClock } from "#kernel";
import type { ShownMachine } from "#testing";
import { Backups } from "../../apps/volumes/backups/backups.ts";
import { DAY_MS } from "../../apps/volumes/backups/due.ts";
import { IMAGE } from "../simulation/host-world.ts";
import { Plane, pause } from "./plane.ts";

const APP = "/v1/apps/app";
const VOLUMES = `${APP}/volumes`;
const MACHINES = `${APP}/machines`;
/** Room for eight machines of the default size and 20 GB of volumes. */
const CAPACITY = { cpuMillis: 100_000, memoryMib: 2_048, volumeMib: 20 * 1_024 };

interface ShownVolume {
  readonly id: string;
  readonly state: string;
  readonly zone: string;
  readonly region: string;
  readonly size_gb: number;
  readonly attached_machine_id: string | null;
}
interface ShownSnapshot {
  readonly id: string;
  readonly status: string;
}

let plane: Plane;
beforeAll(async () => {
  const own = { "ams-1": { region: "ams" }, "ams-2": { region: "ams" }, "fra-1": { region: "fra" } };
  plane = await Plane.start(Object.keys(own), { capacity: CAPACITY }, own);
  await plane.ask("POST", "/v1/apps", { name: "app", org_slug: "acme" });
  await plane.ask("POST", "/v1/apps", { name: "other" });
}, 60_000);
afterAll(() => plane.stop());

const of = (id: string, more = "") => `${VOLUMES}/${id}${more}`;
const refused = (status: number, code: string) => ({ status, body: { status: code } });

async function create(more: Record<string, unknown> = {}): Promise<ShownVolume> {
  const body = { name: "data", region: "ams", size_gb: 1, ...more };
  const answer = await plane.ask<ShownVolume>("POST", VOLUMES, body);
  expect(answer).toMatchObject({ status: 200, body: { state: "created" } });
  return answer.body;
}

function mount(volume: string, more: Record<string, unknown> = {}, body: Record<string, unknown> = {}) {
  const config = { image: IMAGE, mounts: [{ volume, path: "/data" }], ...more };
  return plane.ask<ShownMachine>("POST", MACHINES, { ...body, config });
}

async function reaches(machineId: string, state: string): Promise<void> {
  const wait = `${MACHINES}/${machineId}/wait?state=${state}&timeout=30`;
  expect(await plane.ask("GET", wait)).toMatchObject({ status: 200 });
}

async function destroyMachine(id: string): Promise<void> {
  await plane.ask("DELETE", `${MACHINES}/${id}?force=true`);
  await reaches(id, "destroyed");
}

async function destroy(...volumes: readonly ShownVolume[]): Promise<void> {
  for (const { id } of volumes) {
    expect(await plane.ask("DELETE", of(id))).toMatchObject({ status: 200 });
    while ((await plane.ask<ShownVolume>("GET", of(id))).body.state !== "destroyed") await pause();
  }
}

/** Looks after snapshots as it will so many days from now. */
function backupsAhead(days: number): Backups {
  class Ahead extends SystemClock {
    override nowMs(): number {
      return super.nowMs() + days * DAY_MS;
    }
  }
  const { hosts, projection, ids } = plane.volumes;
  const view = () => projection.state;
  const notice = (_about: object, what: string) => {
    throw new Error(what);
  };
  return new Backups({ hosts, view, caughtUp: projection.caughtUp, clock: new Ahead(), ids, notice });
}

describe("a volume", () => {
  it("is made where it was asked for, shown, listed and destroyed", async () => {
    const answer = await plane.ask<ShownVolume>("POST", VOLUMES, { name: "data", region: "fra", size_gb: 2 });
    expect(answer.headers["drover-position"]).toMatch(/^[0-9A-Z]{26}:\d+$/);
    const volume = answer.body;
    const shown = {
      id: expect.stringMatching(/^vol_[a-z0-9]{16}$/),
      name: "data",
      state: "created",
      region: "fra",
      zone: "fra-1",
      size_gb: 2,
      encrypted: false,
      attached_machine_id: null,
      auto_backup_enabled: true,
      snapshot_retention: 5,
      host_status: "ok",
    };
    expect(volume).toMatchObject(shown);
    expect((await plane.ask("GET", of(volume.id))).body).toMatchObject({
      ...shown,
      bytes_total: 2 * 1024 ** 3,
      block_size: 4096,
      blocks: 524_288,
    });
    expect((await plane.ask("GET", VOLUMES)).body).toMatchObject([shown]);
    expect((await plane.ask("GET", APP)).body).toMatchObject({ volume_count: 1 });
    expect((await plane.ask("GET", "/v1/orgs/acme/volumes?limit=1")).body).toMatchObject({
      volumes: [{ id: volume.id, app_name: "app" }],
      last_volume_id: volume.id,
      next_cursor: expect.any(String),
    });
    expect(await plane.ask("DELETE", APP)).toMatchObject(refused(412, "wrong_state"));
    await destroy(volume);
    expect((await plane.ask("GET", VOLUMES)).body).toEqual([]);
    expect((await plane.ask("GET", "/v1/orgs/acme/volumes")).body).toMatchObject({ volumes: [] });
  });

  it.each([
    [{ size_gb: 0 }],
    [{ size_gb: 501 }],
    [{ size_gb: 1.5 }],
    [{ size_gb: undefined }],
    [{ name: "No!" }],
    [{ snapshot_retention: 61 }],
    [{ encrypted: true }],
    [{ fstype: "raw" }],
    [{ source_volume_id: "vol_?" }],
    [{ source_volume_id: "vol_0123456789abcdef", snapshot_id: "vs_0123456789abcdef" }],
  ])("is refused with %j: nothing is promised that would not be kept", async (more) => {
    const body = { name: "data", region: "ams", size_gb: 1, ...more };
    expect(await plane.ask("POST", VOLUMES, body)).toMatchObject(refused(400, "invalid"));
  });

  it("is made once however often it is asked for by one key", async () => {
    const body = { name: "data", region: "ams", size_gb: 1 };
    const ask = (more = {}) =>
      plane.ask<ShownVolume>("POST", VOLUMES, { ...body, ...more }, { "idempotency-key": "once" });
    const answers = await Promise.all([ask(), ask(), ask()]);
    const volume = answers[0].body;
    expect(answers.map(({ status, body: { id } }) => [status, id])).toEqual(Array(3).fill([200, volume.id]));
    expect(await ask({ size_gb: 2 })).toMatchObject(refused(400, "invalid"));
    expect((await plane.ask<ShownVolume[]>("GET", VOLUMES)).body).toHaveLength(1);
    await destroy(volume);
  });

  it("is found under its own app, and not by what is no id", async () => {
    const volume = await create();
    const missing = refused(404, "volume_not_found");
    expect(await plane.ask("GET", `/v1/apps/other/volumes/${volume.id}`)).toMatchObject(missing);
    expect(await plane.ask("DELETE", `/v1/apps/other/volumes/${volume.id}`)).toMatchObject(missing);
    expect(await plane.ask("GET", of("vol_0000000000000000"))).toMatchObject(missing);
    expect(await plane.ask("GET", of("vol_*"))).toMatchObject(refused(400, "invalid"));
    expect(await plane.ask("GET", "/v1/apps/nobody/volumes")).toMatchObject(refused(404, "not_found"));
    await destroy(volume);
  });

  it("grows, and does not shrink", async () => {
    const volume = await create({ size_gb: 2 });
    const extend = (size_gb: number) => plane.ask("PUT", of(volume.id, "/extend"), { size_gb });
    expect(await extend(3)).toMatchObject({
      status: 200,
      body: { needs_restart: false, volume: { state: "created", size_gb: 3 } },
    });
    expect(await extend(2)).toMatchObject(refused(400, "invalid"));
    expect(await extend(300)).toMatchObject(refused(422, "insufficient_capacity"));
    expect(await extend(501)).toMatchObject(refused(400, "invalid"));
    expect((await plane.ask("GET", of(volume.id))).body).toMatchObject({ size_gb: 3 });
    await destroy(volume);
  });

  it("changes how long it is kept for", async () => {
    const volume = await create();
    const changes = { auto_backup_enabled: false, snapshot_retention: 9 };
    expect(await plane.ask("PUT", of(volume.id), changes)).toMatchObject({ status: 200, body: changes });
    expect(await plane.ask("PUT", of(volume.id), { snapshot_retention: 0 })).toMatchObject({ status: 400 });
    await destroy(volume);
  });

  it("that finds no room hears why from each host (F09)", async () => {
    const body = { name: "data", region: "ams,fra", size_gb: 400 };
    const { status, body: why } = await plane.ask<{ error: string }>("POST", VOLUMES, body);
    expect(status).toBe(422);
    for (const hostId of ["ams-1", "ams-2", "fra-1"])
      expect(why.error).toContain(`host ${hostId} has no room`);
    const large = { ...body, size_gb: 1, compute: { memory_mb: 4_096 } };
    expect(await plane.ask("POST", VOLUMES, large)).toMatchObject(refused(422, "insufficient_capacity"));
  });

  it("is apart from its twins where that is required", async () => {
    const apart = () =>
      plane.ask<ShownVolume>("POST", VOLUMES, {
        name: "twin",
        region: "ams",
        size_gb: 1,
        require_unique_zone: true,
      });
    const twins = [await apart(), await apart()];
    expect(twins.map(({ body }) => body.zone).sort()).toEqual(["ams-1", "ams-2"]);
    expect(await apart()).toMatchObject(refused(422, "insufficient_capacity"));
    await destroy(...twins.map(({ body }) => body));
  });
});

describe("a machine with a volume", () => {
  it("is placed on its volume's host, has it alone, and gives it back when it is gone", async () => {
    const volume = await create({ region: "fra" });
    const machine = await mount(volume.id);
    expect(machine).toMatchObject({ status: 200, body: { region: "fra", drover: { host: "fra-1" } } });
    const { id } = machine.body;
    await reaches(id, "started");
    expect((await plane.ask("GET", of(volume.id))).body).toMatchObject({ attached_machine_id: id });
    expect(await mount(volume.id)).toMatchObject(refused(409, "volume_in_use"));
    expect(await plane.ask("DELETE", of(volume.id))).toMatchObject(refused(409, "volume_in_use"));
    await destroyMachine(id);
    expect((await plane.ask("GET", of(volume.id))).body).toMatchObject({ attached_machine_id: null });
    await destroy(volume);
  });

  it("has one writer when two race for it, and the other hears so", async () => {
    const volume = await create();
    const answers = await Promise.all([mount(volume.id), mount(volume.id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)).toMatchObject(refused(409, "volume_in_use"));
    const winner = answers.find(({ status }) => status === 200)!.body.id;
    expect((await plane.ask("GET", of(volume.id))).body).toMatchObject({ attached_machine_id: winner });
    await destroyMachine(winner);
    await destroy(volume);
  });

  it("takes it on with an update, on its own host only", async () => {
    const volume = await create({ region: "fra" });
    const config = { image: IMAGE };
    const elsewhere = await plane.ask<ShownMachine>("POST", MACHINES, { region: "ams", config });
    const beside = await plane.ask<ShownMachine>("POST", MACHINES, { region: "fra", config });
    const update = (id: string) =>
      plane.ask("POST", `${MACHINES}/${id}`, {
        config: { ...config, mounts: [{ volume: volume.id, path: "/data" }] },
      });
    for (const { body } of [elsewhere, beside]) await reaches(body.id, "started");
    expect(await update(elsewhere.body.id)).toMatchObject(refused(404, "volume_not_found"));
    expect(await update(beside.body.id)).toMatchObject({ status: 200 });
    const attached = { attached_machine_id: beside.body.id };
    expect((await plane.ask("GET", of(volume.id))).body).toMatchObject(attached);
    for (const { body } of [elsewhere, beside]) await destroyMachine(body.id);
    await destroy(volume);
  });

  it("is refused with 412 and the host's reason where there is no room beside it", async () => {
    const volume = await create({ region: "fra" });
    const { status, body } = await mount(volume.id, { guest: { memory_mb: 4_096 } });
    expect({ status, body }).toMatchObject(refused(412, "insufficient_capacity"));
    const { error } = body as unknown as { readonly error: string };
    expect(error).toContain(`no room beside volume ${volume.id}: host fra-1 has no room: 4096 MiB of memory`);
    expect(await mount(volume.id, {}, { region: "ams" })).toMatchObject(refused(400, "invalid"));
    expect(await mount("vol_0000000000000000")).toMatchObject(refused(404, "volume_not_found"));
    await destroy(volume);
  });

  it("is another app's business", async () => {
    const volume = await create();
    const config = { image: IMAGE, mounts: [{ volume: volume.id, path: "/data" }] };
    expect(await plane.ask("POST", "/v1/apps/other/machines", { region: "ams", config })).toMatchObject(
      refused(404, "volume_not_found"),
    );
    await destroy(volume);
  });
});

describe("a fork", () => {
  it("begins with a volume, also one that is written, on its host, and goes its own way", async () => {
    const volume = await create({ region: "fra", size_gb: 2 });
    const machine = (await mount(volume.id)).body.id;
    await reaches(machine, "started");
    plane.host("fra-1").pool.write(volume.id, "row", "committed");
    const fork = (more = {}) =>
      plane.ask<ShownVolume>("POST", VOLUMES, { name: "again", source_volume_id: volume.id, ...more });
    const answer = await fork();
    const drover = { source_volume_id: volume.id };
    expect(answer).toMatchObject({
      ...{ status: 200, body: { state: "created", zone: "fra-1", size_gb: 2, drover } },
    });
    const { id } = answer.body;
    expect(plane.host("fra-1").pool.volumes.get(id)?.files.get("row")).toBe("committed");
    expect(answer.body.attached_machine_id).toBeNull();
    expect(await fork({ size_gb: 1 })).toMatchObject(refused(400, "invalid"));
    expect(await fork({ region: "ams" })).toMatchObject(refused(400, "invalid"));
    expect(await fork({ size_gb: 100 })).toMatchObject(refused(412, "insufficient_capacity"));
    const unknown = { source_volume_id: "vol_0000000000000000" };
    expect(await fork(unknown)).toMatchObject(refused(404, "volume_not_found"));
    const foreign = { name: "again", source_volume_id: volume.id };
    expect(await plane.ask("POST", "/v1/apps/other/volumes", foreign)).toMatchObject(
      refused(404, "volume_not_found"),
    );
    await destroyMachine(machine);
    await destroy(volume);
    expect(await fork()).toMatchObject(refused(404, "volume_not_found"));
    expect(plane.host("fra-1").pool.volumes.get(id)?.files.get("row")).toBe("committed");
    await destroy(answer.body);
  });
});

describe("a snapshot", () => {
  it("is restored on its own host, also after its volume has gone", async () => {
    const volume = await create({ region: "fra", size_gb: 2 });
    const taken = await plane.ask<ShownSnapshot>("POST", of(volume.id, "/snapshots"));
    expect(taken).toMatchObject({ status: 200, body: { status: "created", retention_days: 5 } });
    const snapshot = taken.body;
    expect((await plane.ask("GET", of(volume.id, "/snapshots"))).body).toMatchObject([
      { id: snapshot.id, volume_size: 2 * 1024 ** 3 },
    ]);
    await destroy(volume);
    expect((await plane.ask("GET", of(volume.id, "/snapshots"))).body).toMatchObject([snapshot]);
    const restore = (more = {}) =>
      plane.ask<ShownVolume>("POST", VOLUMES, { name: "again", snapshot_id: snapshot.id, ...more });
    const restored = await restore();
    expect(restored).toMatchObject({ status: 200, body: { state: "created", zone: "fra-1", size_gb: 2 } });
    expect(await restore({ size_gb: 1 })).toMatchObject(refused(400, "invalid"));
    expect(await restore({ region: "ams" })).toMatchObject(refused(400, "invalid"));
    expect(await restore({ size_gb: 100 })).toMatchObject(refused(412, "insufficient_capacity"));
    expect(await restore({ snapshot_id: "vs_0000000000000000" })).toMatchObject(refused(404, "not_found"));
    await destroy(restored.body);
  });

  it("of each day is taken once, wherever somebody looks, and goes when its days are over", async () => {
    const volume = await create({ region: "fra", snapshot_retention: 2 });
    const spare = await create({ region: "fra", auto_backup_enabled: false });
    const look = (days: number) => backupsAhead(days).look(new AbortController().signal);
    const snapshots = async ({ id }: ShownVolume) =>
      (await plane.ask<ShownSnapshot[]>("GET", of(id, "/snapshots"))).body.map((one) => one.id);
    await look(0);
    expect(await snapshots(volume)).toEqual([]);
    await Promise.all([look(1), look(1)]);
    await look(1);
    while ((await snapshots(volume)).length === 0) await pause();
    const [first] = await snapshots(volume);
    expect(await snapshots(volume)).toEqual([first]);
    // The service knows by its own fold that the first is there, and may go: looking again would let go of the second, too.
    const isDue = () => [...backupsAhead(3).due().values()].flat().some((due) => due.snapshotId === first);
    while (!isDue()) await pause();
    await look(3);
    while ((await snapshots(volume)).includes(first!)) await pause();
    expect(await snapshots(volume)).toHaveLength(1);
    expect(await snapshots(spare)).toEqual([]);
    await destroy(volume, spare);
  });
});

describe("the service volumes", () => {
  it("may die in the middle: its successor goes on with what was asked", async () => {
    let killed = false;
    plane.watch = (party, { subject, from }) => {
      if (killed || party !== "volumes" || from !== "client" || !subject.endsWith(".place-volume"))
        return "arrives";
      killed = true;
      plane.killVolumes();
      void plane.startVolumes();
      return "arrives";
    };
    const volume = await create();
    plane.watch = () => "arrives";
    expect(killed).toBe(true);
    expect((await plane.ask<ShownVolume[]>("GET", VOLUMES)).body.map(({ id }) => id)).toEqual([volume.id]);
    await destroy(volume);
  });
});
