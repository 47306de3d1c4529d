import { createHash } from "node:crypto";

/**
 * What one host calls its things in the kernel and under /run. All names carry the host's tag, so that several hosts
 * and several clusters live on one box and a purge finds all of its own and nothing else.
 */
export class HostNames {
  /** Six hex digits that stand for (cluster id, host id). */
  readonly tag: string;

  constructor(clusterId: string, hostId: string) {
    this.tag = createHash("sha256").update(`${clusterId}\0${hostId}`).digest("hex").slice(0, 6);
  }

  /** Interface; the kernel allows 15 characters. */
  get bridge(): string {
    return `dr${this.tag}`;
  }

  /** What the names of all host ends of machines' links begin with: `d` and the tag's 24 bits in base64url. */
  get vethPrefix(): string {
    return `d${Buffer.from(this.tag, "hex").toString("base64url")}`;
  }

  /** Host end of a machine's link: 15 characters, 60 bits of them the machine's. */
  vethOf(machineId: string): string {
    const hash = createHash("sha256").update(machineId).digest().subarray(0, 8);
    return this.vethPrefix + hash.toString("base64url").slice(0, 10);
  }

  /** Name of the nft tables; it may hold no dash. */
  get nftTable(): string {
    return `drover_${this.tag}`;
  }

  /** Name of a machine's network namespace, as `ip netns` lists it. */
  netnsOf(machineId: string): string {
    return `${this.bridge}-${machineId}`;
  }

  netnsPathOf(machineId: string): string {
    return `${NETNS_FOLDER}/${this.netnsOf(machineId)}`;
  }

  /** The machine whose namespace that is; undefined for anybody else's. */
  machineOfNetns(netns: string): string | undefined {
    return netns.startsWith(`${this.bridge}-`) ? netns.slice(this.bridge.length + 1) : undefined;
  }

  /** Absolute path within every cgroup hierarchy. */
  get cgroupParent(): string {
    return `/drover-${this.tag}`;
  }

  /** Holds what must not survive a reboot: the kernel's things it describes don't either. */
  get runFolder(): string {
    return runFolderOf(this.tag);
  }

  /** The container runtime's own records. */
  get runtimeRoot(): string {
    return `${this.runFolder}/runtime`;
  }

  /** For the monitors' sockets: short, because a socket's path may have 107 characters only. */
  get socketFolder(): string {
    return `${this.runFolder}/s`;
  }

  /** What each machine's network was made from. */
  get networkFolder(): string {
    return `${this.runFolder}/network`;
  }
}

/** The run folder of the host with this tag. While it exists, the host has something in the kernel. */
export function runFolderOf(tag: string): string {
  return `/run/drover-${tag}`;
}

/** Where iproute2 keeps named network namespaces. */
export const NETNS_FOLDER = "/run/netns";

/** The identity of one start of one machine (F21). */
export interface StartIdentity {
  readonly machineId: string;
  readonly startId: string;
}

/** The id of the container that one start of a machine runs in. */
export function containerIdOf({ machineId, startId }: StartIdentity): string {
  return `${machineId}.${startId}`;
}

/** Reads what `containerIdOf` wrote; undefined for any other text. */
export function startOfContainer(containerId: string): StartIdentity | undefined {
  const match = /^([A-Za-z0-9_-]{1,40})\.([A-Za-z0-9_-]{1,40})$/.exec(containerId);
  return match === null ? undefined : { machineId: match[1]!, startId: match[2]! };
}
