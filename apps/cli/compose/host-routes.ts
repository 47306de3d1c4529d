import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { promisify } from "node:util";
import type { Cluster } from "../cluster/cluster-file.ts";

const run = promisify(execFile);

/**
 * Leads each host's /16 of machines' addresses to the container of that host, which is called like it: between containers,
 * as between servers, somebody has to. The engine gives hosts fixed addresses, so this holds when one is started again.
 */
export async function routeToHosts({ hosts }: Cluster): Promise<void> {
  for (const { hostId, subnet } of hosts) {
    const { address } = await lookup(hostId, 4);
    await run("ip", ["route", "replace", `${subnet}.0.0/16`, "via", address]);
  }
}
