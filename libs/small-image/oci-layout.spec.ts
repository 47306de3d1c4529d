import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { decompressionBomb, hugeDeclaredLayer, toolPath } from "#testing";
import { type OciLayout, type SmallImage, writeOciLayout } from "./oci-layout.ts";
import { exitsWith, httpServer, script, sleeper, stubborn } from "./programs.ts";

const run = promisify(execFile);

const groups: number[] = [];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-oci-"));
});
afterEach(async () => {
  for (const group of groups.splice(0)) killGroup(group);
  await rm(folder, { recursive: true, force: true });
});

function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // nobody of it was left
  }
}

/** Lays an image out and unpacks it with skopeo and umoci, as a host does; resolves to its root filesystem. */
async function unpack(image: SmallImage): Promise<string> {
  const place = await mkdtemp(join(folder, "image-"));
  const copied = await copy(await writeOciLayout(join(place, "layout"), image), join(place, "copy"));
  const rootfs = join(place, "rootfs");
  await run("umoci", ["raw", "unpack", "--image", copied, rootfs]);
  return rootfs;
}

async function copy(layout: OciLayout, target: string): Promise<string> {
  const words = ["copy", "--insecure-policy", "--quiet", layout.reference, `oci:${target}:image`];
  await run(toolPath("skopeo"), words);
  return `${target}:image`;
}

/** Runs what the image runs, in its root filesystem, as a child of ours with a process group of its own. */
async function start(image: SmallImage) {
  const rootfs = await unpack(image);
  const child = spawn("chroot", [rootfs, ...(image.entrypoint ?? [])], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  groups.push(child.pid!);
  const output: string[] = [];
  child.stdout.on("data", (chunk) => output.push(String(chunk)));
  const ready = once(child.stdout, "data");
  const ended = new Promise<number | NodeJS.Signals | null>((done) => {
    child.once("exit", (code, signal) => done(code ?? signal));
  });
  return { child, ready, ended, output };
}

describe("a test image", () => {
  it("unpacks to busybox, its applets, its users and the files given", async () => {
    const rootfs = await unpack({
      files: [{ kind: "file", path: "etc/motd", content: "hi\n", owner: 1000, mode: 0o600 }],
    });
    const { stdout } = await run("chroot", [rootfs, "/bin/sh", "-c", "cat /etc/motd; id -un 1000; ls /"]);
    expect(stdout).toMatch(/^hi\n/);
    expect(stdout).toContain("tmp");
    expect(await readFile(join(rootfs, "etc/passwd"), "utf8")).toContain("app:x:1000:1000");
    expect(await stat(join(rootfs, "etc/motd"))).toMatchObject({ uid: 1000, mode: 0o100600 });
    expect((await stat(join(rootfs, "tmp"))).mode & 0o7777).toBe(0o1777);
    expect((await lstat(join(rootfs, "bin/sh"))).isSymbolicLink()).toBe(true);
  });

  it("is the same bytes every time", async () => {
    const [one, other] = await Promise.all(
      ["one", "other"].map((name) => writeOciLayout(join(folder, name), httpServer("hello"))),
    );
    expect(one!.digest).toBe(other!.digest);
    expect((await writeOciLayout(join(folder, "third"), httpServer("hallo"))).digest).not.toBe(one!.digest);
  });

  it("carries its config", async () => {
    const image = {
      ...script("true"),
      cmd: ["x"],
      env: { A: "1" },
      workingDir: "/tmp",
      user: "app",
      stopSignal: "SIGINT",
    };
    const layout = await writeOciLayout(join(folder, "layout"), image);
    const { stdout } = await run(toolPath("skopeo"), ["inspect", "--config", layout.reference]);
    expect(JSON.parse(stdout)).toMatchObject({
      os: "linux",
      config: {
        Entrypoint: ["/bin/sh", "-c", "true"],
        Cmd: ["x"],
        Env: ["PATH=/bin", "A=1"],
        WorkingDir: "/tmp",
        User: "app",
        StopSignal: "SIGINT",
      },
    });
  });
});

describe("a test program", () => {
  it("ends with the code it was made for", async () => {
    expect(await (await start(exitsWith(7))).ended).toBe(7);
  });

  it("sleeps until SIGTERM, or ignores it", async () => {
    const patient = await start(script(`${sleeper(3).entrypoint![2]!.replace(";", "; echo ready;")}`));
    await patient.ready;
    patient.child.kill("SIGTERM");
    expect(await patient.ended).toBe(3);

    const deaf = await start(script(`${stubborn().entrypoint![2]!.replace(";", "; echo ready;")}`));
    await deaf.ready;
    deaf.child.kill("SIGTERM");
    deaf.child.kill("SIGKILL");
    expect(await deaf.ended).toBe("SIGKILL");
  });
});

describe("a hostile image", () => {
  it("decompresses to far more than its size", async () => {
    const { layers } = await writeOciLayout(join(folder, "layout"), decompressionBomb(4 * 2 ** 30));
    expect(layers.at(-1)!.size).toBeLessThan(8 * 2 ** 20);
  });

  it("claims a size that is not so", async () => {
    const { layers } = await writeOciLayout(join(folder, "layout"), hugeDeclaredLayer(2 ** 50));
    expect(layers.at(-1)!.size).toBe(2 ** 50);
  });
});
