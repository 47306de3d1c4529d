import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SupervisorLock, supervisorOf } from "./supervisor-lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-lock-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

/** Another process that holds the lock until it is killed. */
async function holder(options: { readonly uid?: number } = {}) {
  const { dev, ino } = await stat(folder);
  const script = `require("net").createServer().listen("\\0drover-supervisor-${dev}-${ino}", () => console.log("held"))`;
  const child = spawn(process.execPath, ["-e", script], { ...options, cwd: "/" });
  await once(child.stdout, "data");
  const end = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { pid: child.pid, end };
}

describe("the lock of a data directory", () => {
  it("is taken once, and again when it was released", async () => {
    const lock = await SupervisorLock.take(folder);
    expect(supervisorOf(folder)?.pid).toBe(process.pid);
    await expect(SupervisorLock.take(folder)).rejects.toThrow(
      `a cluster runs on ${folder} already (supervisor ${process.pid}): use it, or end it with \`drover down\``,
    );
    lock.release();
    expect(supervisorOf(folder)).toBeUndefined();
    (await SupervisorLock.take(folder)).release();
  });

  it("goes with its holder, however that ends", async () => {
    const other = await holder();
    expect(supervisorOf(folder)?.pid).toBe(other.pid);
    await expect(SupervisorLock.take(folder)).rejects.toMatchObject({ refusal: { code: "already_exists" } });
    await other.end();
    (await SupervisorLock.take(folder)).release();
  });

  it("held by another user shows nobody whom one could be made to kill", async () => {
    const stranger = await holder({ uid: 65_534 });
    expect(supervisorOf(folder)).toBeUndefined();
    await expect(SupervisorLock.take(folder)).rejects.toThrow(/supervisor of another user/);
    await stranger.end();
  });

  it("tells who comes while a `down` is at work", async () => {
    const ending = await SupervisorLock.take(folder, "end");
    const lock = await SupervisorLock.take(folder);
    await expect(SupervisorLock.take(folder)).rejects.toThrow(/a `drover down` is at work on/);
    await expect(SupervisorLock.take(folder, "end")).rejects.toThrow(/a `drover down` is at work on/);
    ending.release();
    lock.release();
  });
});
