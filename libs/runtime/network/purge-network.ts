import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { runCommand } from "../command.ts";
import { listFolder } from "../files.ts";
import { type HostNames, NETNS_FOLDER } from "../names.ts";
import { removeFirewall } from "./firewall.ts";
import { Forwarding } from "./forwarding.ts";
import { PortClaims } from "./port-claims.ts";

/** Takes away every link, namespace, rule and claim of the host, found by their names: records may be lost. */
export async function purgeNetwork(names: HostNames): Promise<void> {
  const namespaces = (await listFolder(NETNS_FOLDER)).filter(
    (netns) => names.machineOfNetns(netns) !== undefined,
  );
  const script = [
    ...(await linksOf(names)).map((link) => `link delete ${link}`),
    ...namespaces.map((netns) => `netns delete ${netns}`),
  ];
  if (script.length > 0) {
    // -force: a namespace whose file is not mounted any more fails, the others go; what is left is reported later.
    await runCommand(["ip", "-force", "-batch", "-"], { input: `${script.join("\n")}\n` }).catch(() => {});
  }
  for (const netns of namespaces) await rm(`${NETNS_FOLDER}/${netns}`, { force: true });
  await runCommand(["nft", "-f", "-"], { input: `${removeFirewall(names)}\n` });
  await new PortClaims(names).releaseAll();
  await new Forwarding(names).release();
  await rm(names.networkFolder, { recursive: true, force: true });
}

/** What of the host's network still stands, one line each. */
export async function networkLeftovers(names: HostNames): Promise<string[]> {
  const namespaces = (await listFolder(NETNS_FOLDER)).filter(
    (netns) => names.machineOfNetns(netns) !== undefined,
  );
  const { stdout } = await runCommand(["nft", "list", "tables"]);
  const tables = stdout.split("\n").filter((line) => line.endsWith(` ${names.nftTable}`));
  return [
    ...(await linksOf(names)).map((link) => `interface ${link}`),
    ...namespaces.map((netns) => `network namespace ${netns}`),
    ...tables.map((table) => `nft ${table}`),
  ];
}

async function linksOf(names: HostNames): Promise<string[]> {
  const links = (await listFolder("/sys/class/net")).filter(
    (link) => link.startsWith(names.vethPrefix) && link.length === 15,
  );
  return existsSync(`/sys/class/net/${names.bridge}`) ? [...links, names.bridge] : links;
}
