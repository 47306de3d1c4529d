import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { findByArgument, findBySocket, identityOf, isAlive, signalProcess } from "./process-table.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Starts a process that lives until it is killed, and waits until its arguments are its own. */
async function start(
  args: readonly string[],
  options: { readonly uid?: number } = {},
): Promise<ChildProcess> {
  const script = "console.log('up'); setInterval(() => {}, 1e6)";
  const child = spawn(process.execPath, ["-e", script, "--", ...args], { ...options, cwd: "/" });
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

const path = (name: string) => `/tmp/drover-spec-${process.pid}-${name}.json`;

describe("a process", () => {
  it("is found by its settings file, behind the right flag and by the whole path only", async () => {
    const child = await start(["--config", path("a")]);
    expect(findByArgument("--config", path("a"))?.pid).toBe(child.pid);
    expect(findByArgument("-c", path("a"))).toBeUndefined();
    expect(findByArgument("--config", path("a").slice(0, -1))).toBeUndefined();
  });

  it("of another user is not taken for ours", async () => {
    const child = await start(["--config", path("b")], { uid: 65_534 });
    expect(isAlive(identityOf(child.pid!)!)).toBe(true);
    expect(findByArgument("--config", path("b"))).toBeUndefined();
  });

  it("F21: is told from a later one with its pid by its start time", async () => {
    const child = await start([]);
    const identity = identityOf(child.pid!)!;
    const earlier = { ...identity, startTime: String(Number(identity.startTime) - 1) };
    expect(isAlive(earlier)).toBe(false);
    signalProcess(earlier, "SIGKILL");
    expect(isAlive(identity)).toBe(true);
    signalProcess(identity, "SIGKILL");
    await once(child, "exit");
    expect(isAlive(identity)).toBe(false);
    signalProcess(identity, "SIGKILL");
  });

  it("that ended and was not yet waited for counts as gone", async () => {
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 1000"]);
    children.push(parent);
    const [pid] = (await once(parent.stdout, "data")) as [Buffer];
    while (identityOf(Number(pid)) !== undefined) await new Promise((done) => setTimeout(done, 10));
    expect(findByArgument("sleep", "0")).toBeUndefined();
  });

  it("is found by the socket that it has open", async () => {
    const name = `drover-spec-${process.pid}`;
    expect(findBySocket(name)).toBeUndefined();
    const server = createServer();
    await new Promise<void>((done) => server.listen(`\0${name}`, done));
    expect(findBySocket(name)).toEqual(identityOf(process.pid));
    expect(findBySocket(name.slice(0, -1))).toBeUndefined();
    server.close();
    expect(findBySocket(name)).toBeUndefined();
  });
});
