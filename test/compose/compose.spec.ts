import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { pause } from "../cluster/parts.ts";
import { CONTAINERS, ComposeCluster } from "./compose-cluster.ts";
import { hasEngine } from "./engine.ts";

const MINUTES = 60_000;
const engine = hasEngine();
if (!engine) {
  process.stderr.write(
    "SKIPPED: test/compose, for no Docker Engine with compose is at hand. Bring one for this run:\n" +
      '  eval "$(sh test/compose/engine.sh up /tmp/engine)"\n',
  );
}

/** Serves what is on its volume, and counts its starts there. */
const KEEPER = `echo x >>/data/starts; sync; exec httpd -f -p 8080 -h /data`;

interface Machine {
  readonly id: string;
  readonly drover: { readonly host: string };
}

(engine ? describe : describe.skip)("the cluster of docker-compose.yml, on a real engine", () => {
  let cluster: ComposeCluster;
  let startedIn: number;
  beforeAll(async () => {
    cluster = await ComposeCluster.make();
    await cluster.compose("build");
    const beganAt = performance.now();
    await cluster.compose("up", "--detach", "--wait", "--wait-timeout", "300");
    await cluster.answers("hello");
    startedIn = (performance.now() - beganAt) / 1000;
  }, 20 * MINUTES);
  afterAll(() => cluster?.end(), 2 * MINUTES);

  const starts = async () => (await cluster.answers("keeper", "/starts")).body.trim().split("\n").length;
  /** Written as a pattern that the asking shell's own arguments do not match. */
  const processesOf = (host: string, [first, ...rest]: string) =>
    cluster.inside(
      host,
      `for p in /proc/[0-9]*; do grep -qa '[${first}]${rest.join("")}' $p/cmdline && echo \${p#/proc/}; done; :`,
    );

  it("answers for the demo app once `up --wait` has ended, and keeps lists in its Postgres", async () => {
    process.stderr.write(`docker compose up --wait to the first 200: ${startedIn.toFixed(1)} s\n`);
    expect((await cluster.visit("hello")).body).toContain("Hello from machine");
    const ready = await fetch(`http://127.0.0.1:${cluster.apiPort}/readyz`);
    expect(await ready.json()).toMatchObject({ read_model: { status: "ready" } });
    await expect(cluster.inside("api", "ls /drover")).resolves.not.toContain("hosts");
  });

  it("starts an agent again inside its host: neither the container nor its machines notice", async () => {
    const [machine] = await cluster.api<Machine[]>("GET", "/apps/hello/machines");
    const { host } = machine!.drover;
    const before = { life: await cluster.lifeOf(host), machine: await processesOf(host, "/bin/serve") };
    const agent = (await processesOf(host, "host-agent/main.js")).trim();
    await cluster.inside(host, `kill -9 ${agent}`);
    while (["", agent].includes((await processesOf(host, "host-agent/main.js")).trim())) await pause(200);
    expect((await cluster.answers("hello")).status).toBe(200);
    expect({ life: await cluster.lifeOf(host), machine: await processesOf(host, "/bin/serve") }).toEqual(
      before,
    );
  });

  it(
    "heals when any one container is killed, and after `down` and `up`, with all that was on a volume",
    async () => {
      await cluster.api("POST", "/apps", { name: "keeper", org_slug: "personal" });
      const volume = await cluster.api<{ id: string }>("POST", "/apps/keeper/volumes", {
        name: "data",
        size_gb: 1,
      });
      const config = {
        image: "oci:/opt/drover/hello",
        init: { exec: ["/bin/sh", "-c", KEEPER] },
        mounts: [{ volume: volume.id, path: "/data" }],
        services: [{ protocol: "tcp", internal_port: 8080, ports: [{ port: 80, handlers: ["http"] }] }],
      };
      const { drover } = await cluster.api<Machine>("POST", "/apps/keeper/machines", { config });
      let count = await starts();
      for (const container of [...CONTAINERS.filter((name) => name !== "host-1"), drover.host]) {
        await cluster.kill(container);
        await cluster.answers("hello");
        const now = await starts();
        expect(now).toBeGreaterThanOrEqual(count);
        count = now;
      }
      await cluster.compose("down");
      await cluster.compose("up", "--detach", "--wait", "--wait-timeout", "300");
      expect(await starts()).toBeGreaterThan(count);
    },
    15 * MINUTES,
  );
});
