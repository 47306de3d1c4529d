import { readFile } from "node:fs/promises";
import { RefusedError, refusal } from "#kernel";
import { apiBase, assertToken } from "./api-client.ts";
import { type Cluster, readCluster } from "./cluster/cluster-file.ts";
import type { Layout } from "./cluster/layout.ts";
import { addressOf, type CliSettings } from "./settings.ts";

export interface ApiAccess {
  readonly base: string;
  readonly token: string;
}

const DEFAULT_API = "http://127.0.0.1:4280";

/**
 * Where the API is and what opens it: what the environment says, else the local cluster's own. The local token goes to
 * the local API only: whoever answers elsewhere would learn it.
 */
export async function findApi(
  layout: Layout,
  settings: Pick<CliSettings, "api" | "token">,
): Promise<ApiAccess> {
  const chosen = settings.api === undefined ? undefined : apiBase(settings.api);
  if (chosen !== undefined && settings.token !== undefined)
    return { base: chosen, token: assertToken(settings.token, "DROVER_TOKEN") };
  const cluster = await readCluster(layout);
  const own = cluster === undefined ? DEFAULT_API : `http://${addressOf(cluster.api)}`;
  const base = chosen ?? own;
  if (settings.token !== undefined) return { base, token: assertToken(settings.token, "DROVER_TOKEN") };
  if (!isSame(base, own)) {
    const message = `no token for ${base}, which is not the API of the cluster in ${layout.root}: set DROVER_TOKEN`;
    throw new RefusedError(refusal("unauthorized", message));
  }
  return { base, token: await localToken(layout, cluster) };
}

/** Whether DROVER_API, when it is set, means the API of this cluster. */
export function isOwnApi(cluster: Cluster, api: string | undefined): boolean {
  return api === undefined || isSame(apiBase(api), `http://${addressOf(cluster.api)}`);
}

async function localToken(layout: Layout, cluster: Cluster | undefined): Promise<string> {
  const text = await readFile(layout.tokenFile, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (text !== undefined) return assertToken(text.trim(), layout.tokenFile);
  const message =
    cluster === undefined
      ? `no token, because there is no cluster in ${layout.root}: start one with \`drover up\`, name its folder with --data, or set DROVER_TOKEN`
      : `no token: ${layout.tokenFile} is gone: \`drover down\` and \`drover up\` make a new one; or set DROVER_TOKEN`;
  throw new RefusedError(refusal("unauthorized", message));
}

/** The same address under its usual names: whoever listens on all addresses, or on loopback, is meant by loopback's. */
function isSame(one: string, other: string): boolean {
  const plain = (base: string) =>
    base.replace(/^(http:\/\/)(localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0|\[::\])(?=:|$)/, "$1loopback");
  return plain(one) === plain(other);
}
