import { RefusedError } from "#kernel";
import { ApiClient } from "../api-client.ts";
import { type Cluster, type Listen, writeCluster } from "../cluster/cluster-file.ts";
import { readIfThere } from "../cluster/files.ts";
import type { Layout } from "../cluster/layout.ts";
import { addressOf } from "../settings.ts";
import { HELLO_PORT } from "./hello-image.ts";

export const HELLO = "hello";

interface AppRecord {
  readonly name: string;
  readonly machine_count: number;
}

/**
 * Sleeps after a minute in which nobody wants it. Its server lets three connections wait and drops the next ones, whose
 * clients the kernel leaves in the dark for seconds: so the router gives it no more, and holds the others.
 */
const SERVICE = {
  protocol: "tcp",
  internal_port: HELLO_PORT,
  ports: [{ port: 80, handlers: ["http"] }],
  concurrency: { type: "requests", soft_limit: 3, hard_limit: 3 },
  autostop: "stop",
  autostart: true,
  autostop_after: "60s",
};

/**
 * Creates the demo app with its machine in a cluster that has no app and never had the demo; false where it is not to be
 * made. `address`: of its API. `image` makes its image, and says how hosts name it.
 */
export async function createHello(
  cluster: Cluster,
  layout: Layout,
  address: Listen,
  image: () => Promise<string>,
): Promise<boolean> {
  if (cluster.hasDemo === true) return false;
  const token = (await readIfThere(layout.tokenFile))?.trim() ?? "";
  const api = new ApiClient(`http://${addressOf(address)}`, token);
  if (!(await isEmpty(api))) return false;
  await createApp(api);
  const config = { image: await image(), guest: { memory_mb: 64 }, services: [SERVICE] };
  await api.create<{ readonly id: string }>(`/v1/apps/${HELLO}/machines`, "id", { name: HELLO, config });
  await writeCluster(layout, { ...cluster, hasDemo: true });
  return true;
}

/** An app without machines is left where this was interrupted. */
async function isEmpty(api: ApiClient): Promise<boolean> {
  const { apps } = await api.get<{ apps: readonly AppRecord[] }>("/v1/apps", "apps");
  return apps.every(({ name, machine_count: machines }) => name === HELLO && machines === 0);
}

async function createApp(api: ApiClient): Promise<void> {
  await api
    .create("/v1/apps", "id" as never, { name: HELLO, org_slug: "personal" })
    .catch((thrown: unknown) => {
      if (!(thrown instanceof RefusedError) || thrown.refusal.code !== "name_taken") throw thrown;
    });
}
