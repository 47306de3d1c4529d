import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  exitsWith,
  freePort,
  httpServer,
  type Registry,
  type ShownMachine,
  startRegistry,
  TestCluster,
  talker,
  writeOciLayout,
} from "#testing";

/** One cluster, used as a user would: everything through the CLI and the API, nothing faked. */
let cluster: TestCluster;
let registry: Registry;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-images-"));
  [cluster, registry] = await Promise.all([TestCluster.up({ hosts: 2 }), startRegistry()]);
}, 120_000);
afterAll(async () => {
  await registry?.stop();
  await cluster?.purge();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

describe("everyday work", () => {
  it("runs an image of an OCI layout, reaches it on its port, stops and starts it, and destroys it", async () => {
    const port = await freePort();
    const { reference } = await writeOciLayout(join(folder, "web"), httpServer("hello from a machine"));
    const machine = await cluster.json<ShownMachine>(
      ...["run", reference, "--app", "tour", "--name", "web", "--publish", `${port}:8080`],
    );
    expect(machine.state).toBe("started");
    await answers(port, "hello from a machine");

    await cluster.json("stop", "web");
    expect((await cluster.machine("tour", machine.id)).state).toBe("stopped");
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();

    await cluster.json("start", "tour/web");
    await answers(port, "hello from a machine");

    await cluster.json("restart", machine.id);
    await answers(port, "hello from a machine");

    await cluster.json("destroy", "web", "--force");
    expect(await cluster.json("machines", "--app", "tour")).toEqual([]);
  }, 90_000);

  it("runs an image from a registry, by tag and by digest", async () => {
    const image = await writeOciLayout(join(folder, "talker"), talker(["first", "second"]));
    const { reference, pinned } = await registry.push(image, "talker:1");
    const tagged = await cluster.json<ShownMachine>("run", reference, "--app", "pulled", "--name", "by-tag");
    const fixed = await cluster.json<ShownMachine>("run", pinned, "--app", "pulled", "--name", "by-digest");
    expect([tagged.state, fixed.state]).toEqual(["started", "started"]);

    const logs = await cluster.drover("logs", "by-tag");
    expect(logs.stdout).toBe("first\nsecond\ndone\n");
    const lines = (await cluster.drover("logs", "by-tag", "--tail", "1", "--json")).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ stream: "stderr", text: "done" }]);
  }, 90_000);

  it("knows the exit code of a process that ended, and restarts one that failed", async () => {
    const { reference } = await writeOciLayout(join(folder, "fails"), exitsWith(7));
    await cluster.drover(
      "run",
      reference,
      "--app",
      "exits",
      "--name",
      "once",
      "--restart",
      "no",
      "--no-wait",
    );
    const [once] = await cluster.json<ShownMachine[]>("machines", "--app", "exits");
    await cluster.settles("exits", once!.id, "stopped");
    expect((await cluster.machine("exits", once!.id)).drover.last_exit?.exit_code).toBe(7);
    const events = await cluster.json<{ type: string; request?: unknown }[]>("events", "once");
    expect(events.find((event) => event.type === "exit")?.request).toMatchObject({
      exit_event: { exit_code: 7 },
    });
  }, 90_000);

  it("runs commands in a machine: streams, exit codes, a terminal; and not in one that is stopped", async () => {
    const { reference } = await writeOciLayout(join(folder, "place"), exitsWith(0, 3600));
    await cluster.drover("run", reference, "--app", "execs", "--name", "place", "--env", "COLOUR=green");
    const shell = (script: string) => cluster.drover("exec", "place", "--", "sh", "-c", script);
    expect(await shell("echo $COLOUR; echo no >&2; exit 7")).toEqual({
      code: 7,
      stdout: "green\n",
      stderr: "no\n",
    });
    expect((await shell("head -c 3000000 /dev/zero | tr '\\0' x")).stdout).toHaveLength(3_000_000);
    expect((await cluster.drover("exec", "place", "--", "/nothing")).stderr).toMatch(
      /^drover: .*\/nothing.*\n$/,
    );
    const json = await cluster.json("exec", "place", "--", "sh", "-c", "cat; echo $((6 * 7))");
    expect(json).toEqual({ exit_code: 0, exit_signal: 0, stdout: "42\n", stderr: "" });

    const { stdout } = await cluster.drover("exec", "place", "--tty", "--", "sh", "-c", "stty size; tty");
    expect(stdout).toBe("24 80\r\n/dev/pts/0\r\n");

    const answer = await cluster.api<{ id: string }[]>("GET", "/v1/apps/execs/machines");
    const path = `/v1/apps/execs/machines/${answer.body[0]!.id}/exec`;
    const fed = await cluster.api("POST", path, { command: ["cat"], stdin: "fed" });
    expect(fed.body).toEqual({ exit_code: 0, exit_signal: 0, stdout: "fed", stderr: "" });
    const late = await cluster.api("POST", path, { cmd: "sleep 1000", timeout: 1 });
    expect(late.status).toBe(408);
    expect((await shell("ps | grep -c '[s]leep 1000'")).stdout).toBe("0\n");

    await cluster.json("stop", "place");
    const refused = await shell("true");
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/^drover: machine \w+ is stopped: start it first \(drover start \w+\)\n$/),
    ]);
  }, 150_000);

  it("creates once for one Idempotency-Key, however often it is sent", async () => {
    const { reference } = await writeOciLayout(join(folder, "idempotent"), exitsWith(0, 3600));
    await cluster.api("POST", "/v1/apps", { name: "idem", org_slug: "personal" });
    const create = (image = reference) =>
      cluster.api<ShownMachine & { status?: string }>(
        "POST",
        "/v1/apps/idem/machines",
        { config: { image } },
        { "idempotency-key": "once" },
      );
    const answers = await Promise.all([create(), create(), create()]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect((await create("oci:/other")).body.status).toBe("invalid");
    const list = await cluster.api<ShownMachine[]>("GET", "/v1/apps/idem/machines");
    expect(list.body).toHaveLength(1);
  }, 90_000);

  it("lets a reader see what was just written: create, then get, list and wait, never 404", async () => {
    const { reference } = await writeOciLayout(join(folder, "reader"), exitsWith(0, 3600));
    await cluster.api("POST", "/v1/apps", { name: "ryw", org_slug: "personal" });
    for (let round = 0; round < 5; round += 1) {
      const body = { config: { image: reference }, skip_launch: round % 2 === 1 };
      const created = await cluster.api<ShownMachine>("POST", "/v1/apps/ryw/machines", body);
      const path = `/v1/apps/ryw/machines/${created.body.id}`;
      const [shown, listed, waited] = await Promise.all([
        cluster.api("GET", path),
        cluster.api<ShownMachine[]>("GET", "/v1/apps/ryw/machines"),
        cluster.api("GET", `${path}/wait?state=settled&timeout=30`),
      ]);
      expect([created.status, shown.status, waited.status]).toEqual([200, 200, 200]);
      expect(listed.body.map((machine) => machine.id)).toContain(created.body.id);
    }
  }, 90_000);

  it("makes, lists and revokes tokens; only a valid one gets in", async () => {
    const made = await cluster.json<{ id: string; token: string }>("token", "create", "--name", "deploy");
    const asks = (token: string) =>
      fetch(`http://127.0.0.1:${cluster.apiPort}/v1/apps`, { headers: { authorization: `Bearer ${token}` } });
    expect((await asks(made.token)).status).toBe(200);
    expect((await asks(`${made.token}0`)).status).toBe(401);
    await cluster.json("token", "revoke", made.id);
    expect((await asks(made.token)).status).toBe(401);
    const listed = await cluster.json<{ id: string; revoked: boolean }[]>("token", "list");
    expect(listed.find((token) => token.id === made.id)?.revoked).toBe(true);
    expect(JSON.stringify(listed)).not.toContain(made.token);
  }, 60_000);
});

async function answers(port: number, text: string): Promise<void> {
  // The program inside needs a moment to listen after its process has started.
  for (let tries = 0; ; tries += 1) {
    const body = await fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.text(),
      (error) => (tries < 100 ? undefined : Promise.reject(error)),
    );
    if (body !== undefined) return expect(body).toBe(text);
    await new Promise((done) => setTimeout(done, 50));
  }
}
