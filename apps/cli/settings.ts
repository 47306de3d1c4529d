import { resolve } from "node:path";
import { RefusedError, refusal } from "#kernel";
import type { Listen } from "./cluster/cluster-file.ts";

/** What the environment says; read here and nowhere else in the CLI. Flags override it. */
export interface CliSettings {
  readonly api: string | undefined;
  readonly token: string | undefined;
  readonly nats: string | undefined;
  readonly http: string | undefined;
  readonly databaseUrl: string | undefined;
  /** Kind of the terminal. */
  readonly term: string | undefined;
  /** Where programs are found. */
  readonly path: string;
}

/** Reads the environment (interface "Where things listen"). `FLY_FLAPS_BASE_URL` is what existing clients set. */
export function readEnvironment(env: NodeJS.ProcessEnv): CliSettings {
  return {
    api: given(env.DROVER_API) ?? given(env.FLY_FLAPS_BASE_URL),
    token: given(env.DROVER_TOKEN),
    nats: given(env.DROVER_NATS),
    http: given(env.DROVER_HTTP),
    databaseUrl: given(env.DATABASE_URL),
    term: given(env.TERM),
    path: given(env.PATH) ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
}

/** An empty variable is one that is not set. */
function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

/**
 * "127.0.0.1:4222", ":4222", "4222", "[::1]:4222" or a URL with a port, as an address to listen on. Throws a refusal
 * that names `what`.
 */
export function parseListen(text: string, what: string): Listen {
  const bare = text.replace(/^[a-z]+:\/\//, "").replace(/\/.*$/, "");
  const match = /^(?:(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[^:@\s]*)):)?(?<port>\d{1,5})$/i.exec(bare);
  const port = Number(match?.groups?.port);
  if (!match || port < 1 || port > 65_535) {
    throw new RefusedError(refusal("invalid", `${what}: "${text}" is not HOST:PORT`));
  }
  return { host: match.groups?.v6 || match.groups?.host || "127.0.0.1", port };
}

/** "127.0.0.1:4280", "[::1]:4280": an address as URLs and people write it. */
export function addressOf({ host, port }: Listen): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A whole number from `least` to `most`. Throws a refusal that names the flag. */
export function wholeNumber(text: string, flag: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const message = `${flag}: "${text}" is not a whole number from ${least} to ${most}`;
  throw new RefusedError(refusal("invalid", message));
}

/** A path of the command line, absolute. Throws a refusal when there is none, or nothing that it could start from. */
export function absolute(path: string, what: string): string {
  if (path === "") throw new RefusedError(refusal("invalid", `${what}: the path is empty`));
  try {
    return resolve(path);
  } catch {
    const message = `${what}: the folder you stand in is gone: change to another, or give an absolute path`;
    throw new RefusedError(refusal("invalid", message));
  }
}
