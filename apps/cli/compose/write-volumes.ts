import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Ids } from "#kernel";
import { agentUser } from "#topology";
import type { Cluster } from "../cluster/cluster-file.ts";
import { readIfThere, writeFileAtomic } from "../cluster/files.ts";
import type { Layout } from "../cluster/layout.ts";
import { writeSettings } from "../cluster/write-settings.ts";
import { HUB, POSTGRES, shareOf } from "./compose-cluster.ts";

const PASSWORD_FILE = "postgres.password";

/**
 * Writes the settings of all containers into `layout`, and copies to each container's own volume, mounted at
 * `volumes/<container>`, what that one needs and no more: no container holds another's key. All of them have their volume at
 * the path of `layout`, so that paths within settings are true everywhere. `routers`: their addresses, which hosts let in. The
 * same cluster gives the same files.
 */
export async function writeVolumes(
  cluster: Cluster,
  layout: Layout,
  volumes: string,
  routers: readonly string[],
  ids: Ids,
): Promise<void> {
  const passwordFile = join(layout.secretsDir, PASSWORD_FILE);
  const databaseUrl = databaseUrlWith(await keepPassword(passwordFile, ids));
  const share = shareOf(cluster);
  await writeSettings(
    cluster,
    layout,
    { share, allowUnsafe: false, hub: HUB, routersElsewhere: routers, databaseUrl },
    ids,
  );
  for (const [container, files] of filesOf(cluster, layout, passwordFile))
    for (const file of files) {
      const copy = join(volumes, container, relative(layout.root, file));
      await writeFileAtomic(copy, await readFile(file, "utf8"), 0o600);
    }
}

/** What each container reads. */
function filesOf(cluster: Cluster, layout: Layout, passwordFile: string): [string, string[]][] {
  const service = (name: "scheduler" | "volumes" | "api"): [string, string[]] => [
    name,
    [layout.serviceConfig(name), layout.seedFile(name)],
  ];
  return [
    ["hub", [layout.hubConfig]],
    ["postgres", [passwordFile]],
    service("scheduler"),
    service("volumes"),
    service("api"),
    ["api", [layout.tokenFile]],
    ...cluster.routers.map(({ routerId }): [string, string[]] => [
      "router",
      [layout.clusterFile, layout.serviceConfig(routerId), layout.seedFile("router")],
    ]),
    ...cluster.hosts.map(({ hostId }): [string, string[]] => [
      hostId,
      [
        layout.clusterFile,
        layout.leafConfig(hostId),
        join(layout.leafDir(hostId), "link.conf"),
        layout.agentConfig(hostId),
        layout.seedFile(agentUser(hostId)),
      ],
    ]),
  ];
}

async function keepPassword(file: string, ids: Ids): Promise<string> {
  const kept = await readIfThere(file);
  if (kept !== undefined) return kept.trim();
  const minted = ids.randomHex(24);
  await writeFileAtomic(file, `${minted}\n`, 0o600);
  return minted;
}

function databaseUrlWith(password: string): string {
  const { name, port, user, database } = POSTGRES;
  return `postgres://${user}:${password}@${name}:${port}/${database}`;
}
