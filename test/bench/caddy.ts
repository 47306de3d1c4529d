import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findTool, startChild } from "#testing";
import { type Address, type ProxyTask, type StartedServer } from "./served.ts";

/** Caddy in front of an upstream, on one core as a router is. Undefined where it is not installed. */
export async function caddyProxy(
  folder: string,
  at: Address,
  { upstream, connections }: ProxyTask,
): Promise<StartedServer | undefined> {
  const program = findTool("caddy");
  if (program === undefined) return undefined;
  await mkdir(folder, { recursive: true });
  const config = join(folder, "Caddyfile");
  const lines = [
    "{",
    "  admin off",
    "  auto_https off",
    "}",
    `:${at.port} {`,
    `  bind ${at.host}`,
    `  reverse_proxy ${upstream.host}:${upstream.port} {`,
    "    transport http {",
    `      keepalive_idle_conns_per_host ${connections}`,
    "      compression off",
    "    }",
    "  }",
    "}",
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  const environment = ["GOMAXPROCS=1", `XDG_DATA_HOME=${folder}`, `XDG_CONFIG_HOME=${folder}`];
  const words = [...environment, program, "run", "--config", config];
  const child = await startChild("env", words, /serving initial configuration/);
  return {
    what: "Caddy (GOMAXPROCS=1)",
    address: at,
    pid: child.pid,
    [Symbol.asyncDispose]: () => child.kill(),
  };
}
