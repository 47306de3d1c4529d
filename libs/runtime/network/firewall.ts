import type { HostNames } from "../names.ts";
import { gatewayOf, linkLocalOf, macOf } from "./addresses.ts";
import type { NetworkSpec } from "./machine-network.ts";

/** What a host's rules are made for. */
export interface Neighbourhood {
  /** The first two bytes of its machines' /16, "10.213". */
  readonly subnet: string;
  /** IPv4 addresses, elsewhere, of routers: nobody else beyond this host reaches machines. */
  readonly routers: readonly string[];
}

/**
 * The host's nft rules as text, complete in one transaction. Two tables of one name: `inet` says where packets may go
 * and where published ports lead, `bridge` lets each link speak for its own addresses only.
 */
export function wholeFirewall(
  names: HostNames,
  neighbourhood: Neighbourhood,
  machines: readonly NetworkSpec[],
): string {
  return [
    removeFirewall(names),
    inetTable(names, neighbourhood),
    bridgeTable(names),
    ...machines.map((machine) => admit(names, machine)),
  ].join("\n");
}

/** Takes both tables away; right also when they are not there. */
export function removeFirewall(names: HostNames): string {
  return ["inet", "bridge"]
    .flatMap((family) => [
      `add table ${family} ${names.nftTable}`,
      `delete table ${family} ${names.nftTable}`,
    ])
    .join("\n");
}

/** Lets a machine's link speak for its addresses and leads its published ports to it. Idempotent. */
export function admit(names: HostNames, machine: NetworkSpec): string {
  return elementsOf(names, machine)
    .map((element) => `add element ${element}`)
    .join("\n");
}

/** Takes back what `admit` did. An element is added before it is deleted, so that it may be gone already. */
export function dismiss(names: HostNames, machine: NetworkSpec): string {
  return elementsOf(names, machine)
    .flatMap((element) => [`add element ${element}`, `delete element ${element}`])
    .join("\n");
}

function elementsOf(names: HostNames, machine: NetworkSpec): string[] {
  const table = names.nftTable;
  const link = `"${names.vethOf(machine.machineId)}" . ${macOf(machine.ipv4)}`;
  return [
    `bridge ${table} speakers4 { ${link} . ${machine.ipv4} }`,
    `bridge ${table} speakers6 { ${link} . ${machine.privateIp}, ${link} . ${linkLocalOf(machine.ipv4)} }`,
    ...machine.ports.map(
      (port) =>
        `inet ${table} ${port.protocol}_ports { ${port.host_port} : ${machine.ipv4} . ${port.machine_port} }`,
    ),
  ];
}

/** Published ports are led on where they leave a local process: they need no process of ours, and outlive it (I5). */
function inetTable(names: HostNames, { subnet, routers }: Neighbourhood): string {
  const bridge = `"${names.bridge}"`;
  const fromRouters = `oifname ${bridge} ip saddr { ${routers.join(", ")} } accept\n    `;
  const admitted = routers.length === 0 ? "" : fromRouters;
  return `table inet ${names.nftTable} {
  map tcp_ports { type inet_service : ipv4_addr . inet_service; }
  map udp_ports { type inet_service : ipv4_addr . inet_service; }
  chain published {
    type nat hook output priority -100; policy accept;
    ip daddr 127.0.0.1 dnat ip to tcp dport map @tcp_ports
    ip daddr 127.0.0.1 dnat ip to udp dport map @udp_ports
  }
  chain outbound {
    type nat hook postrouting priority 100; policy accept;
    oifname ${bridge} ip saddr 127.0.0.0/8 masquerade
    oifname != ${bridge} ip saddr ${subnet}.0.0/16 masquerade
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname != ${bridge} oifname != ${bridge} accept
    tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
    ct state established,related accept
    ${admitted}oifname ${bridge} drop
    ip daddr 169.254.0.0/16 drop
  }
  chain input {
    type filter hook input priority 0; policy accept;
    iifname != ${bridge} accept
    ct state established,related accept
    ip daddr ${gatewayOf(subnet)} icmp type echo-request accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, echo-request } accept
    drop
  }
}`;
}

function bridgeTable(names: HostNames): string {
  return `table bridge ${names.nftTable} {
  set speakers4 { type ifname . ether_addr . ipv4_addr; }
  set speakers6 { type ifname . ether_addr . ipv6_addr; }
  chain speakers {
    type filter hook prerouting priority -200; policy accept;
    iifname != "${names.vethPrefix}*" accept
    ether type ip iifname . ether saddr . ip saddr @speakers4 accept
    ether type ip6 iifname . ether saddr . ip6 saddr @speakers6 accept
    iifname . ether saddr . arp saddr ip @speakers4 iifname . arp saddr ether . arp saddr ip @speakers4 accept
    drop
  }
}`;
}
