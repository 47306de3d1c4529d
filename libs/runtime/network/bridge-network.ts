import { existsSync } from "node:fs";
import { readlink, rm, statfs, writeFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { runCommand } from "../command.ts";
import { type FaultPoint, noFault } from "../fault-point.ts";
import { listFolder } from "../files.ts";
import { type HostNames, NETNS_FOLDER } from "../names.ts";
import { allSettled, OneAtATime } from "../one-at-a-time.ts";
import { Forwarding } from "./forwarding.ts";
import { HostFirewall } from "./host-firewall.ts";
import { bridgeScript, insideScript, linkScript, unlinkScript } from "./links.ts";
import { MachineNetwork, type NetworkSpec } from "./machine-network.ts";
import { type NetworkRecord, NetworkRecords } from "./network-records.ts";
import { PortClaims } from "./port-claims.ts";

const NSFS_MAGIC = 0x6e736673;

export interface BridgeOptions {
  readonly routers?: readonly string[];
  readonly faultPoint?: FaultPoint;
}

/**
 * Machines' networks on one bridge per host: nft filters, translates and publishes; iproute2 does the rest. Each
 * machine costs three short processes, two of them at once; a network that stands costs none.
 */
export class BridgeNetwork extends MachineNetwork {
  readonly #names: HostNames;
  readonly #subnet: string;
  readonly #faultPoint: FaultPoint;
  readonly #records: NetworkRecords;
  readonly #ports: PortClaims;
  readonly #forwarding: Forwarding;
  readonly #firewall: HostFirewall;
  readonly #turns = new OneAtATime();
  readonly #hasIpv6 = existsSync("/proc/net/if_inet6");

  private constructor(names: HostNames, subnet: string, routers: readonly string[], faultPoint: FaultPoint) {
    super();
    this.#names = names;
    this.#subnet = subnet;
    this.#faultPoint = faultPoint;
    this.#records = new NetworkRecords(names);
    this.#firewall = new HostFirewall(names, { subnet, routers }, this.#records);
    this.#ports = new PortClaims(names);
    this.#forwarding = new Forwarding(names);
  }

  /**
   * Sets up or repairs what the host's machines share. `subnet`: the first two bytes of their /16, "10.213". `routers`:
   * addresses beyond this host that reach its machines.
   */
  static async open(
    names: HostNames,
    subnet: string,
    { routers = [], faultPoint = noFault }: BridgeOptions = {},
  ): Promise<BridgeNetwork> {
    const network = new BridgeNetwork(names, subnet, routers, faultPoint);
    await network.#setUpHost();
    return network;
  }

  override prepare(spec: NetworkSpec, signal: AbortSignal): Promise<{ readonly netnsPath: string }> {
    return this.#turns.take(spec.machineId, async () => {
      const [before, found] = await Promise.all([
        this.#records.read(spec.machineId),
        this.#find(spec.machineId),
      ]);
      const stands =
        before?.complete === true && found.netns && found.link && isDeepStrictEqual(before.spec, spec);
      if (!stands) await this.#build(spec, before, found, signal);
      return { netnsPath: this.#names.netnsPathOf(spec.machineId) };
    });
  }

  override remove(machineId: string): Promise<void> {
    return this.#turns.take(machineId, async () => {
      const record = await this.#records.read(machineId);
      const found = await this.#find(machineId);
      const script = unlinkScript(this.#names, machineId, found);
      if (record !== undefined && this.#hasIpv6) script.push(`route flush ${record.spec.privateIp}/128`);
      await this.#ip(script);
      await rm(this.#names.netnsPathOf(machineId), { force: true });
      await this.#faultPoint("unlinked");
      if (record !== undefined || script.length > 0) await this.#firewall.dismiss(machineId);
      await this.#faultPoint("dismissed");
      await this.#ports.release(machineId);
    });
  }

  override async list(): Promise<string[]> {
    const namespaces = await listFolder(NETNS_FOLDER);
    const machines = namespaces.map((netns) => this.#names.machineOfNetns(netns));
    const known = [
      ...machines.filter((machineId) => machineId !== undefined),
      ...(await this.#records.list()),
    ];
    return [...new Set(known)].sort();
  }

  async #build(
    spec: NetworkSpec,
    before: NetworkRecord | undefined,
    found: Found,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#turns.take("the host", () =>
      this.#hasBridge() ? this.#forwarding.require() : this.#setUpHost(),
    );
    await this.#ports.claim(spec.machineId, spec.ports);
    await this.#faultPoint("ports claimed");
    const record = { spec, complete: false };
    await this.#records.write(record);
    await this.#faultPoint("record begun");
    if (!found.netns) await rm(this.#names.netnsPathOf(spec.machineId), { force: true });
    await allSettled([this.#admit(record, before), this.#link(spec, found, signal)]);
    await this.#ports.release(spec.machineId, spec.ports);
    await this.#records.write({ spec, complete: true });
  }

  async #admit(record: NetworkRecord, before: NetworkRecord | undefined): Promise<void> {
    await this.#firewall.admit(record, before);
    await this.#faultPoint("admitted");
  }

  async #link(spec: NetworkSpec, found: Found, signal: AbortSignal): Promise<void> {
    await this.#ip(linkScript(this.#names, spec, found, this.#hasIpv6), [], signal);
    await this.#faultPoint("linked");
    const inside = ["-netns", this.#names.netnsOf(spec.machineId)];
    await this.#ip(insideScript(this.#subnet, spec, this.#hasIpv6), inside, signal);
    await this.#faultPoint("addressed");
  }

  async #setUpHost(): Promise<void> {
    await this.#forwarding.require();
    await this.#ip(bridgeScript(this.#names, this.#subnet, this.#hasBridge(), this.#hasIpv6));
    // Loopback addresses may cross the bridge: published ports begin there. What guests send there, `input` drops.
    await writeFile(`/proc/sys/net/ipv4/conf/${this.#names.bridge}/route_localnet`, "1");
    await this.#firewall.rebuild();
  }

  #hasBridge(): boolean {
    return existsSync(`/sys/class/net/${this.#names.bridge}`);
  }

  async #find(machineId: string): Promise<Found> {
    const veth = `/sys/class/net/${this.#names.vethOf(machineId)}`;
    const [fs, master] = await Promise.all([
      statfs(this.#names.netnsPathOf(machineId)).catch(() => undefined),
      readlink(`${veth}/master`).catch(() => ""),
    ]);
    return {
      netns: fs?.type === NSFS_MAGIC,
      veth: existsSync(veth),
      link: master.endsWith(`/${this.#names.bridge}`),
    };
  }

  async #ip(script: readonly string[], options: readonly string[] = [], signal?: AbortSignal): Promise<void> {
    if (script.length === 0) return;
    await runCommand(["ip", ...options, "-batch", "-"], {
      input: `${script.join("\n")}\n`,
      ...(signal && { signal }),
    });
  }
}

/** What stands of a machine's network. `link`: its link exists and is on the bridge. */
interface Found {
  readonly netns: boolean;
  readonly veth: boolean;
  readonly link: boolean;
}
