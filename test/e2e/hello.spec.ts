import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type ShownMachine, TestCluster } from "#testing";
import { ClusterParts, pause } from "../cluster/parts.ts";
import { type Visit, visit } from "../cluster/visits.ts";

interface Stage {
  readonly stage: string;
  readonly afterMs: number;
}

interface Story {
  readonly trace: { readonly stages: readonly Stage[]; readonly status: number };
  readonly events: readonly { readonly type: string; readonly header: { readonly correlationId: string } }[];
}

/** What a new user has after `up`: a demo app that answers, sleeps and wakes up. */
let cluster: TestCluster;
let ports: readonly number[];
beforeAll(async () => {
  cluster = await TestCluster.up({ hosts: 2, routers: 3, demo: true });
  ports = (await ClusterParts.of(cluster)).cluster.routers.map(({ port }) => port);
}, 120_000);
afterAll(() => cluster?.purge(), 120_000);

async function hello(): Promise<ShownMachine> {
  const [machine] = await cluster.json<ShownMachine[]>("machines", "--app", "hello");
  return machine!;
}

async function sleeps(): Promise<void> {
  await cluster.json("stop", "hello");
  expect((await hello()).state).toBe("stopped");
}

/** How often its log says that the machine has started. */
async function starts(): Promise<number> {
  const { id } = await hello();
  const { stdout } = await cluster.drover("replay", "log", "--machine", id, "--type", "MachineStarted");
  return stdout.split("\n").filter((line) => line !== "").length;
}

/** The log reaches the hub, and the trace does, a moment after the answer. */
async function storyOf({ headers }: Visit): Promise<Story> {
  const ask = () => cluster.drover("replay", "why", "--request", String(headers["fly-request-id"]), "--json");
  for (;;) {
    const { code, stdout } = await ask();
    const story = code === 0 ? (JSON.parse(stdout) as Story) : undefined;
    if (story?.events.some(({ type }) => type === "MachineStarted")) return story;
    await pause(100);
  }
}

describe("the demo app of a new cluster", () => {
  it("answers through every router when `up` has ended, and says who and where it is", async () => {
    const { id, drover } = await hello();
    expect(ports[0]).toBe(cluster.httpPort);
    for (const port of ports) {
      const { status, body } = await visit(port, "hello", "/any/path?x=1");
      expect(status).toBe(200);
      expect(body).toContain(`Hello from machine ${id} of app hello!`);
      expect(body).toContain(`host     ${drover.host}`);
      expect(body).toContain("You sent: GET /any/path?x=1 HTTP/1.1");
    }
  }, 60_000);

  it("is woken by a request; `replay why --request` tells how, stage by stage, and what it set in motion", async () => {
    await sleeps();
    const answer = await visit(ports[0]!, "hello");
    expect(answer.status).toBe(200);
    expect((await hello()).state).toBe("started");
    const { trace, events } = await storyOf(answer);
    expect(trace.status).toBe(200);
    const told = trace.stages.map(({ stage }) => stage);
    const path = ["held", "asked", "accepted", "started", "connected", "first_byte"];
    expect(path.filter((stage) => told.includes(stage))).toEqual(path);
    const times = path.map((stage) => trace.stages.findLast((other) => other.stage === stage)!.afterMs);
    expect(times.slice(1)).toEqual(times.slice(1).sort((a, b) => a - b));
    const types = events.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(["MachineStarting", "MachineStarted"]));
    for (const { header } of events) expect(header.correlationId).toBe(answer.headers["fly-request-id"]);
    const text = await cluster.drover("replay", "why", "--request", String(answer.headers["fly-request-id"]));
    expect(text.stdout).toMatch(/ms +asked .*its host is to start it[\s\S]*ms .*MachineStarted/);
  }, 60_000);

  it("tells of a request that it knows nothing of, and of what is no request", async () => {
    const unknown = await cluster.drover("replay", "why", "--request", "01AAAAAAAAAAAAAAAAAAAAAAAA");
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringMatching(/^drover: nothing is told of/) });
    const wrong = await cluster.drover("replay", "why", "--request", "hello");
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/is no request's id/) });
  }, 60_000);

  it("F33: a thousand requests at once, through three routers, are a thousand answers and one start", async () => {
    await sleeps();
    const before = await starts();
    const visits = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => visit(ports[index % ports.length]!, "hello")),
    );
    const statuses = new Set(visits.map(({ status }) => status));
    expect([...statuses]).toEqual([200]);
    while ((await starts()) === before) await pause(100);
    expect(await starts()).toBe(before + 1);
  }, 120_000);

  it("is not made again: neither by the next `up`, nor when somebody wanted it no more", async () => {
    await cluster.json("destroy", "hello", "--force");
    await cluster.json("apps", "delete", "hello");
    await cluster.drover("down");
    await cluster.resume({ demo: true });
    expect(await cluster.json("machines")).toEqual([]);
    expect(await cluster.json("apps")).toEqual([]);
    expect((await visit(ports[0]!, "hello")).status).toBe(404);
  }, 90_000);
});
