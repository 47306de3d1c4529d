import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type ShownMachine, sleeper, TestCluster, writeOciLayout } from "#testing";

interface ShownVolume {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly size_gb: number;
  readonly fstype: string;
  readonly bytes_used: number;
  readonly attached_machine_id: string | null;
  readonly drover: { readonly host: string };
}

/** A cluster with real volumes: made, written to and taken away through the CLI and the API, as a user would. */
let cluster: TestCluster;
let folder: string;
let image: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-images-"));
  const program = sleeper();
  [cluster, { reference: image }] = await Promise.all([
    TestCluster.up({ hosts: 2 }),
    writeOciLayout(join(folder, "sleeper"), program),
  ]);
}, 180_000);
afterAll(async () => {
  await cluster?.purge();
  await rm(folder, { recursive: true, force: true });
}, 180_000);

const create = (name: string) =>
  cluster.json<ShownVolume>("volumes", "create", name, "--app", "app", "--size", "1");
const show = (key: string) => cluster.json<ShownVolume>("volumes", "show", key);
const run = (name: string, volume: string) =>
  cluster.json<ShownMachine>("run", image, "--app", "app", "--name", name, "--volume", `${volume}:/data`);
const sh = (machine: string, text: string) => cluster.drover("exec", machine, "--", "sh", "-c", text);

async function reads(machine: string, content: string): Promise<void> {
  const { code, stdout, stderr } = await sh(machine, "cat /data/file");
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${content}\n`, stderr: "" });
}

async function writes(machine: string, content: string): Promise<void> {
  expect(await sh(machine, `echo ${content} >/data/file && sync`)).toMatchObject({ code: 0 });
}

describe("a volume", () => {
  it("keeps what its machine wrote through stop, start and update, and when that machine is gone", async () => {
    const volume = await create("kept");
    const machine = await run("writer", "kept");
    expect(machine.drover.host).toBe(volume.drover.host);
    await writes("writer", "first");
    await cluster.json("stop", "writer");
    await cluster.json("start", "writer");
    await reads("writer", "first");

    const config = { image, mounts: [{ volume: volume.id, path: "/data" }], env: { NEW: "1" } };
    const updated = await cluster.api("POST", `/v1/apps/app/machines/${machine.id}`, { config });
    expect(updated.status).toBe(200);
    await cluster.settles("app", machine.id, "started");
    await reads("writer", "first");

    expect((await show("kept")).attached_machine_id).toBe(machine.id);
    const { code, stderr } = await cluster.drover("volumes", "destroy", "kept");
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("is attached to machine"),
    });
    await reads("writer", "first");

    await cluster.json("destroy", "writer", "--force");
    await run("reader", "kept");
    await reads("reader", "first");
    await cluster.json("destroy", "reader", "--force");
    expect(await cluster.json("volumes", "destroy", "kept")).toMatchObject({ state: "destroyed" });
    expect(await cluster.json("volumes", "--app", "app")).toEqual([]);
  }, 180_000);

  it("is restored as it was when it was kept", async () => {
    await create("changed");
    await run("changer", "changed");
    await writes("changer", "old");
    const snapshot = await cluster.json<{ id: string }>("volumes", "snapshot", "changed");
    await writes("changer", "new");
    const restored = await cluster.json<ShownVolume>("volumes", "restore", snapshot.id, "--name", "again");
    expect(restored).toMatchObject({
      state: "created",
      drover: { host: (await show("changed")).drover.host },
    });
    await run("looker", "again");
    await reads("looker", "old");
    await reads("changer", "new");
    expect(await cluster.json("volumes", "snapshots", "changed")).toMatchObject([{ id: snapshot.id }]);
    for (const machine of ["changer", "looker"]) await cluster.json("destroy", machine, "--force");
    for (const volume of ["changed", "again"]) await cluster.json("volumes", "destroy", volume);
  }, 180_000);

  it("is full at its limit and nothing else is; extended, it takes more", async () => {
    const { fstype, drover } = await create("full");
    await run("filler", "full");
    await writes("filler", "safe");
    if (fstype === "directory") {
      console.warn(`host ${drover.host} has plain folders for volumes: their limit is counted, not kept`);
      return;
    }
    const neighbour = await cluster.json<ShownVolume>("volumes", "create", "neighbour", "--app", "app");
    const filled = await sh("filler", "dd if=/dev/zero of=/data/filling bs=1M count=1200");
    expect(`${filled.stdout}${filled.stderr}`).toMatch(/No space left|quota exceeded/i);
    await reads("filler", "safe");
    expect((await show("full")).bytes_used).toBeLessThanOrEqual(1024 ** 3);
    expect(await cluster.json("volumes", "snapshot", neighbour.id)).toMatchObject({ status: "created" });

    expect(await cluster.json("volumes", "extend", "full", "--size", "2")).toMatchObject({ size_gb: 2 });
    expect(await sh("filler", "head -c 100m /dev/zero >/data/more && sync")).toMatchObject({ code: 0 });
    expect((await cluster.drover("volumes", "extend", "full", "--size", "1")).code).toBe(1);
    await cluster.json("destroy", "filler", "--force");
  }, 180_000);
});
