import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findTool } from "#testing";
import type { HttpAnswers, HttpLoad, LoadGenerator } from "./http-load.ts";
import type { Address } from "./served.ts";

const run = promisify(execFile);

/** wrk itself counts only 400 and above as failed. */
const SCRIPT = `
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() failed = 0 end
function response(status) if status < 200 or status > 299 then failed = failed + 1 end end
function done(summary, latency)
  local failed = 0
  for _, thread in ipairs(threads) do failed = failed + thread:get("failed") end
  local broken = summary.errors
  io.stderr:write(string.format(
    '{"count":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f,"failed":%d,"broken":%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    failed, broken.connect + broken.read + broken.write + broken.timeout))
end
`;

/** Undefined where it is not installed. `folder`: where its script goes. */
export async function wrk(folder: string): Promise<LoadGenerator | undefined> {
  const program = findTool("wrk");
  if (program === undefined) return undefined;
  const script = join(folder, "wrk.lua");
  await writeFile(script, SCRIPT);
  return { name: "wrk", run: (at, load) => pound(program, script, at, load) };
}

async function pound(
  program: string,
  script: string,
  { host, port }: Address,
  { connections, seconds, hostName }: HttpLoad,
): Promise<HttpAnswers> {
  const size = ["--threads", "1", "--connections", `${connections}`, "--duration", `${seconds}s`];
  const words = [...size, "--header", `Host: ${hostName}`, "--script", script, `http://${host}:${port}/`];
  const { failed, broken, ...answers } = JSON.parse((await run(program, words)).stderr) as HttpAnswers & {
    failed: number;
    broken: number;
  };
  if (failed + broken > 0) {
    throw new Error(`${host}:${port}: ${failed} answers were no 2xx, ${broken} connections broke`);
  }
  return answers;
}
