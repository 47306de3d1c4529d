import { isAbsolute, resolve } from "node:path";
import { RefusedError, refusal } from "#kernel";
import type { Listen } from "./cluster/cluster-file.ts";

/** What the environment says; read here and nowhere else in the CLI. Flags override it. */
export interface CliSettings {
  readonly api: string | undefined;
  readonly token: string | undefined;
  readonly nats: string | undefined;
  readonly http: string | undefined;
  /** Where programs are found. */
  readonly path: string;
  /** Where relative paths of the command line start. */
  readonly cwd: string;
}

/** Reads the environment (interface "Where things listen"). `FLY_FLAPS_BASE_URL` is what existing clients set. */
export function readEnvironment(env: NodeJS.ProcessEnv): CliSettings {
  return {
    api: env.DROVER_API ?? env.FLY_FLAPS_BASE_URL,
    token: env.DROVER_TOKEN,
    nats: env.DROVER_NATS,
    http: env.DROVER_HTTP,
    path: env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    cwd: env.DROVER_CWD ?? process.cwd(),
  };
}

/** "127.0.0.1:4222", ":4222", "4222" or a URL, as an address to listen on. Throws a refusal naming `what`. */
export function parseListen(text: string, what: string): Listen {
  const bare = text.replace(/^[a-z]+:\/\//, "").replace(/\/.*$/, "");
  const match = /^(?:(?<host>[^:]*|\[[0-9a-f:]+\]):)?(?<port>\d{1,5})$/.exec(bare);
  const port = Number(match?.groups?.port);
  if (!match || port < 1 || port > 65_535) {
    throw new RefusedError(refusal("invalid", `${what}: "${text}" is not HOST:PORT`));
  }
  return { host: match.groups?.host || "127.0.0.1", port };
}

/** A path of the command line, absolute. */
export function absolute(settings: CliSettings, path: string): string {
  return isAbsolute(path) ? path : resolve(settings.cwd, path);
}
