import { mkdir, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { readText } from "../files.ts";
import type { LaunchSpec } from "./container-runtime.ts";

/** When the host knows only resolvers that guests cannot reach. */
const PUBLIC_RESOLVERS = ["1.1.1.1", "8.8.8.8"];

/** Files by their name in /etc. */
export type GuestFiles = Readonly<Record<string, string>>;

/** The files of /etc that are the machine's rather than its image's. */
export async function guestFiles(launch: LaunchSpec): Promise<GuestFiles> {
  return {
    hostname: `${launch.hostname}\n`,
    hosts: hosts(launch),
    "resolv.conf": await guestResolvers(),
  };
}

export async function writeGuestFiles(folder: string, files: GuestFiles): Promise<void> {
  await mkdir(folder);
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(`${folder}/${name}`, text)));
}

function hosts({ hostname, addresses }: LaunchSpec): string {
  const loopback = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"];
  return [...loopback, ...addresses.map((address) => `${address} ${hostname}`), ""].join("\n");
}

/** The host's resolvers, as far as a guest reaches them: not on the host itself, and IPv4. */
async function guestResolvers(): Promise<string> {
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((addresses) =>
      (addresses ?? []).map(({ address }) => address),
    ),
  );
  for (const file of ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"]) {
    const text = (await readText(file)) ?? "";
    const usable = text.split("\n").filter((line) => isUsable(line, own));
    if (usable.some((line) => line.startsWith("nameserver"))) return `${usable.join("\n")}\n`;
  }
  return PUBLIC_RESOLVERS.map((address) => `nameserver ${address}\n`).join("");
}

/** Whether a line of a resolv.conf holds for a guest, too. */
export function isUsable(line: string, hostAddresses: ReadonlySet<string>): boolean {
  const [keyword, address = ""] = line.trim().split(/\s+/);
  if (keyword === "search" || keyword === "options") return true;
  const isReachable = /^[0-9.]+$/.test(address) && !address.startsWith("127.") && !hostAddresses.has(address);
  return keyword === "nameserver" && isReachable;
}
