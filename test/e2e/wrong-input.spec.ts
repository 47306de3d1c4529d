import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { exitsWith, runCli, type ShownMachine, TestCluster, writeOciLayout } from "#testing";

/** Whatever is wrong gets one clear line or a typed error, and leaves nothing half made. */
let cluster: TestCluster;
let folder: string;
let image: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-wrong-"));
  image = (await writeOciLayout(join(folder, "image"), exitsWith(0, 3600))).reference;
  cluster = await TestCluster.up({ hosts: 1 });
  await cluster.api("POST", "/v1/apps", { name: "app", org_slug: "personal" });
}, 120_000);
afterAll(async () => {
  await cluster?.purge();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

interface Wrong {
  readonly error: string;
  readonly status: string;
}

const create = (body: unknown, app = "app") => cluster.api<Wrong>("POST", `/v1/apps/${app}/machines`, body);
const machines = async () => (await cluster.api<ShownMachine[]>("GET", "/v1/apps/app/machines")).body;

describe("the API", () => {
  it("names the wrong field", async () => {
    const { status, body } = await create({ config: { image, guest: { memory_mb: "much" } } });
    expect({ status, code: body.status }).toEqual({ status: 400, code: "invalid" });
    expect(body.error).toContain("config.guest.memory_mb");
  });

  it("refuses what is not JSON", async () => {
    const token = (await cluster.json<{ token: string }>("token", "create", "--name", "raw")).token;
    const response = await fetch(`http://127.0.0.1:${cluster.apiPort}/v1/apps`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{ not json",
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ status: "invalid" });
  });

  it("does not know other apps, machines or paths", async () => {
    expect(await create({ config: { image } }, "nobody")).toMatchObject({
      status: 404,
      body: { status: "not_found" },
    });
    expect(await cluster.api("GET", "/v1/apps/app/machines/d00000000000ff")).toMatchObject({ status: 404 });
    expect(await cluster.api("GET", "/v1/nothing")).toMatchObject({
      status: 404,
      body: { status: "not_found" },
    });
  });

  it("lets nobody in without a token", async () => {
    const response = await fetch(`http://127.0.0.1:${cluster.apiPort}/v1/apps`);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ status: "unauthorized" });
  });

  it("F25: refuses what no host has, with each host's reason, and leaves nothing (F09, F32)", async () => {
    const huge = { image, guest: { cpus: 1, memory_mb: 4_000_000 } };
    const { status, body } = await create({ name: "huge", config: huge });
    expect({ status, code: body.status }).toEqual({ status: 422, code: "insufficient_capacity" });
    expect(body.error).toMatch(/host-1.*MiB/);
    expect(await machines()).toEqual([]);
    const again = await cluster.api<ShownMachine>("POST", "/v1/apps/app/machines", {
      name: "huge",
      config: { image },
      skip_launch: true,
    });
    expect(again.status).toBe(200);
    await cluster.api("DELETE", `/v1/apps/app/machines/${again.body.id}`);
    await cluster.settles("app", again.body.id, "destroyed");
  }, 60_000);

  it("ends a create of an image that is not there in launch_failed, then destroyed, and says why", async () => {
    const created = await cluster.api<ShownMachine>("POST", "/v1/apps/app/machines", {
      config: { image: `oci:${folder}/missing` },
    });
    expect(created.status).toBe(200);
    await cluster.settles("app", created.body.id, "destroyed");
    const events = await cluster.api<{ status: string; request?: { error?: { code: string } } }[]>(
      "GET",
      `/v1/apps/app/machines/${created.body.id}/events`,
    );
    const failed = events.body.find((event) => event.status === "launch_failed");
    expect(failed?.request?.error?.code).toBe("image_not_found");
  }, 60_000);

  it("refuses a published port that another machine has", async () => {
    const publish = [{ host_port: 29_871, machine_port: 80 }];
    const first = await cluster.api<ShownMachine>("POST", "/v1/apps/app/machines", {
      config: { image, publish },
      skip_launch: true,
    });
    const second = await create({ config: { image, publish } });
    expect({ status: second.status, code: second.body.status }).toEqual({ status: 409, code: "port_taken" });
    await cluster.api("DELETE", `/v1/apps/app/machines/${first.body.id}`);
    await cluster.settles("app", first.body.id, "destroyed");
  }, 60_000);

  it("keeps a machine's name to itself while it exists", async () => {
    const body = { name: "only", config: { image }, skip_launch: true };
    const first = await cluster.api<ShownMachine>("POST", "/v1/apps/app/machines", body);
    expect(await create(body)).toMatchObject({ status: 409, body: { status: "name_taken" } });
    await cluster.api("DELETE", `/v1/apps/app/machines/${first.body.id}`);
    await cluster.settles("app", first.body.id, "destroyed");
    const next = await cluster.api<ShownMachine>("POST", "/v1/apps/app/machines", body);
    expect(next.status).toBe(200);
    await cluster.api("DELETE", `/v1/apps/app/machines/${next.body.id}`);
    await cluster.settles("app", next.body.id, "destroyed");
  }, 60_000);
});

describe("the CLI", () => {
  const oneLine = (ran: { code: number; stdout: string; stderr: string }) => {
    expect(ran.code).not.toBe(0);
    expect(ran.stdout).toBe("");
    const lines = ran.stderr.trim().split("\n");
    return lines.at(-1)!;
  };

  it("refuses a second cluster on the same data", async () => {
    const ran = await cluster.drover("up", "--detach", ...cluster.listenFlags());
    expect(oneLine(ran)).toMatch(/a cluster runs on .* already/);
  });

  it("refuses a port that somebody else holds, and leaves no cluster behind", async () => {
    const holder = createServer();
    await new Promise<void>((done) => holder.listen(0, "127.0.0.1", done));
    const { port } = holder.address() as { port: number };
    const data = join(folder, "second");
    const ran = await runCli([
      "up",
      "--detach",
      "--data",
      data,
      "--api",
      `127.0.0.1:${port}`,
      "--nats",
      "127.0.0.1:29471",
    ]);
    holder.close();
    expect(oneLine(ran)).toMatch(/is taken by another program.*--api/);
    expect((await runCli(["down", "--purge", "--data", data])).stdout).toMatch(/nothing to stop/);
  });

  it("takes no folder that holds something else", async () => {
    const data = join(folder, "mine");
    await mkdir(data);
    await writeFile(join(data, "thesis.txt"), "precious");
    expect(oneLine(await runCli(["up", "--detach", "--data", data]))).toMatch(/not empty/);
    expect((await runCli(["down", "--purge", "--data", data])).stdout).toMatch(/nothing to stop/);
  });

  it("F48: takes whole ids and names only, and a count for many", async () => {
    const made = await cluster.json<ShownMachine>("run", image, "--app", "app", "--name", "exact");
    expect(oneLine(await cluster.drover("destroy", "exac", "--force"))).toMatch(/names are not completed/);
    expect(oneLine(await cluster.drover("destroy", made.id.slice(0, 8), "--force"))).toMatch(/no machine/);
    expect(oneLine(await cluster.drover("destroy", "", "--force"))).toMatch(/no machine|invalid|name/);
    expect(oneLine(await cluster.drover("destroy", "--force"))).toMatch(/name at least one/);
    expect(oneLine(await cluster.drover("destroy", "--all", "--app", "app", "--force"))).toMatch(/--count 1/);
    expect(
      oneLine(await cluster.drover("destroy", "--all", "--app", "app", "--force", "--count", "2")),
    ).toMatch(/--count 1/);
    expect(
      oneLine(await cluster.drover("destroy", "--all", "--app", "ap", "--force", "--count", "0")),
    ).toMatch(/no machines/);
    expect((await cluster.machine("app", made.id)).state).toBe("started");
    const done = await cluster.drover("destroy", "--all", "--app", "app", "--force", "--count", "1");
    expect(done.code).toBe(0);
    expect(await machines()).toEqual([]);
  }, 60_000);

  it("says what is wrong with a flag, and with JSON says it in JSON", async () => {
    expect(oneLine(await cluster.drover("run", image, "--memory", "lots"))).toMatch(/--memory/);
    expect(oneLine(await cluster.drover("run", "oci:/nowhere"))).toMatch(/no OCI layout/);
    expect(oneLine(await cluster.drover("frobnicate"))).toMatch(/unknown command/);
    const ran = await cluster.drover("machines", "nobody", "--json");
    expect(JSON.parse(ran.stderr)).toMatchObject({ status: "not_found" });
    expect(ran.stdout).toBe("");
  });

  it("says that no cluster answers", async () => {
    const data = join(folder, "absent");
    expect(oneLine(await runCli(["machines", "--data", data]))).toMatch(/no token|no API/);
  });
});
