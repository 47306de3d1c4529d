import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { freePort } from "#testing";
import { Layout } from "./layout.ts";
import { identityOf, isAlive } from "./process-table.ts";
import type { ServiceProcess } from "./processes.ts";
import { SupervisedProcess, stopProcess } from "./supervised-process.ts";
import { Supervisor, stopLeftovers } from "./supervisor.ts";

let folder: string;
let logFile: string;
let said: string[];
const started: { stop(): Promise<void> }[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-supervised-"));
  logFile = join(folder, "logs/service.log");
  said = [];
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.stop()));
  await rm(folder, { recursive: true, force: true });
});

const report = (line: string) => void said.push(line);
const FOREVER = "setInterval(() => {}, 1e6);";

/** A process that runs a script of Node, recognised by its settings file as services are. */
function service(script: string, readyUrl = "http://127.0.0.1:1/"): ServiceProcess {
  const settings = join(folder, "settings.json");
  const args = ["-e", `console.log(process.pid, process.cwd(), JSON.stringify(process.env)); ${script}`];
  return {
    name: "service",
    program: process.execPath,
    args: [...args, "--", "--config", settings],
    flag: "--config",
    settings,
    env: { ONLY: "this" },
    readyUrl,
  };
}

function supervise(script: string): SupervisedProcess {
  const supervised = new SupervisedProcess(service(script), logFile, report);
  started.push(supervised);
  supervised.start();
  return supervised;
}

async function until<T>(find: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    await sleep(10);
  }
}

const log = () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");

describe("a supervised process", () => {
  it("has an environment of its own, a session of its own, and stands in no folder of the user's", async () => {
    const supervised = supervise(FOREVER);
    const line = await until(() => log().split("\n")[0] || undefined);
    expect(line).toBe(`${supervised.pid} / {"ONLY":"this"}`);
    const stat = await readFile(`/proc/${supervised.pid}/stat`, "utf8");
    expect(Number(stat.slice(stat.lastIndexOf(")")).split(" ")[4])).toBe(supervised.pid);
  });

  it("is started again when it dies, at once first and then with growing pauses", async () => {
    supervise("process.exit(7)");
    await until(() => said.length >= 4);
    expect(said.slice(0, 4)).toEqual([
      "service ended with 7; starting it again",
      `service ended with 7; starting it again in 100 ms (see ${logFile})`,
      `service ended with 7; starting it again in 200 ms (see ${logFile})`,
      `service ended with 7; starting it again in 400 ms (see ${logFile})`,
    ]);
  });

  it("is started again when somebody kills it", async () => {
    const supervised = supervise(FOREVER);
    const first = await until(() => supervised.pid);
    process.kill(first, "SIGKILL");
    const next = await until(() => supervised.pid !== first && supervised.pid);
    expect(next).not.toBe(first);
    expect(said).toEqual(["service was ended by SIGKILL; starting it again"]);
  });

  it("that runs already is adopted, and started when it ends", async () => {
    const { program, args } = service(FOREVER);
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    await once(child.stdout, "data");
    const supervised = supervise(FOREVER);
    expect(supervised.pid).toBe(child.pid);
    child.kill("SIGKILL");
    await until(() => supervised.pid !== child.pid && supervised.pid);
    expect(said).toEqual([
      `service runs already (pid ${child.pid}): adopted`,
      "service ended; starting it again",
    ]);
  });

  it("that cannot be started is tried again, and the supervisor lives", async () => {
    const missing = { ...service(""), program: join(folder, "nothing") };
    const supervised = new SupervisedProcess(missing, logFile, report);
    started.push(supervised);
    supervised.start();
    await until(() => said.length >= 2);
    expect(said[0]).toMatch(/^service does not start: .*ENOENT/);
  });

  it("stops when asked to, also while it waits to be started again", async () => {
    const supervised = supervise("process.exit(1)");
    await until(() => supervised.deaths >= 3);
    await supervised.stop();
    const deaths = said.length;
    await sleep(600);
    expect(said).toHaveLength(deaths);
  });

  it("is killed when it does not end", async () => {
    const stubborn = spawn(process.execPath, [
      "-e",
      `process.on("SIGTERM", () => {}); console.log("trapped"); ${FOREVER}`,
    ]);
    await once(stubborn.stdout, "data");
    const identity = identityOf(stubborn.pid!)!;
    await stopProcess(identity, 100);
    expect(isAlive(identity)).toBe(false);
  });

  it("keeps two logs at the most", async () => {
    const supervised = supervise(FOREVER);
    await until(() => log() !== "");
    await supervised.stop();
    await truncate(logFile, 17 * 1024 * 1024);
    supervise(FOREVER);
    await until(() => log() !== "");
    expect(log().length).toBeLessThan(1_000);
    expect(existsSync(`${logFile}.1`)).toBe(true);
  });
});

describe("a supervisor", () => {
  const waiting = (script: string, url?: string) => {
    const supervisor = new Supervisor([service(script, url)], new Layout(folder), report);
    started.push(supervisor);
    supervisor.start();
    return supervisor;
  };
  const never = new AbortController().signal;

  it("waits until all are ready", async () => {
    const port = await freePort();
    const serve = `require("http").createServer((_, r) => r.end()).listen(${port}, "127.0.0.1");`;
    await waiting(serve, `http://127.0.0.1:${port}/`).ready(30_000, never);
  });

  it("gives up on what dies again and again, with its last words", async () => {
    const supervisor = waiting("console.log('bad settings'); process.exit(1)");
    await expect(supervisor.ready(60_000, never)).rejects.toThrow(
      /^service ended 8 times before it served, lastly with: bad settings; see .*service\.log$/,
    );
  });

  it("gives up when it takes too long, and when it is interrupted", async () => {
    await expect(waiting(FOREVER).ready(0, never)).rejects.toThrow(/^not ready in time: service; see/);
    const interrupted = new AbortController();
    const ready = started.at(-1) as Supervisor;
    const done = ready.ready(60_000, interrupted.signal);
    interrupted.abort();
    await expect(done).rejects.toMatchObject({ refusal: { code: "cancelled" } });
  });

  it("that died leaves all running, to be found and stopped", async () => {
    const { program, args } = service(FOREVER);
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    await once(child.stdout, "data");
    const gone = once(child, "exit");
    expect(await stopLeftovers([service(FOREVER)])).toBe(1);
    await gone;
    expect(await stopLeftovers([service(FOREVER)])).toBe(0);
  });
});
