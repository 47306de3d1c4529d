import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findTool, startChild } from "#testing";
import { type Address, HELLO, LARGE_BYTES, type ProxyTask, type StartedServer } from "./served.ts";

/** Folders that nginx makes when it starts, wanted or not: the packaged ones may be in use. */
const FOLDERS = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
/** More requests than a benchmark sends over one connection. */
const MANY = 1_000_000_000;

/** nginx as a machine's program: a short text at `/`, a large file at `/large`. Undefined where it is not installed. */
export async function nginxUpstream(folder: string, at: Address): Promise<StartedServer | undefined> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "large"), "");
  await truncate(join(folder, "large"), LARGE_BYTES);
  const places = `location = / { return 200 ${JSON.stringify(HELLO)}; } location = /large { root ${folder}; }`;
  return startNginx(
    "upstream alone (nginx)",
    folder,
    at,
    `server { listen ${at.host}:${at.port}; ${places} }`,
  );
}

/**
 * nginx in front of an upstream, on one core as a router is, saying as much of the client as a router does. Undefined
 * where it is not installed.
 */
export async function nginxProxy(
  folder: string,
  at: Address,
  { upstream, connections }: ProxyTask,
): Promise<StartedServer | undefined> {
  const proxy = [
    "proxy_pass http://machine",
    "proxy_http_version 1.1",
    'proxy_set_header Connection ""',
    "proxy_set_header Host $http_host",
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for",
    "proxy_set_header X-Forwarded-Proto $scheme",
    // What a slow client has not taken yet stays with the upstream, as it does with a router.
    "proxy_max_temp_file_size 0",
  ];
  const machine = `server ${upstream.host}:${upstream.port}; keepalive ${connections}; keepalive_requests ${MANY};`;
  const server = `listen ${at.host}:${at.port}; location / { ${proxy.join("; ")}; }`;
  return startNginx("nginx (one worker)", folder, at, `upstream machine { ${machine} } server { ${server} }`);
}

async function startNginx(
  what: string,
  folder: string,
  address: Address,
  http: string,
): Promise<StartedServer | undefined> {
  const program = findTool("nginx");
  if (program === undefined) return undefined;
  await mkdir(folder, { recursive: true });
  const paths = FOLDERS.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  const config = join(folder, "nginx.conf");
  const lines = [
    `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr notice;`,
    "events { worker_connections 4096; }",
    `http { access_log off; sendfile on; tcp_nopush on; keepalive_requests ${MANY}; ${paths} ${http} }`,
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  const child = await startChild(program, ["-e", "stderr", "-p", folder, "-c", config], /event method/);
  return { what, address, pid: child.pid, [Symbol.asyncDispose]: () => child.kill() };
}
