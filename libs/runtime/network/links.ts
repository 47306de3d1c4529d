import type { HostNames } from "../names.ts";
import { GATEWAY_IPV6, gatewayOf, linkLocalOf, macOf } from "./addresses.ts";
import type { NetworkSpec } from "./machine-network.ts";

/** Lines for `ip -batch`, which does them all in one process. `hasIpv6`: whether this kernel speaks it. */

/** The host's bridge, with its addresses. Idempotent, but for `link add`, which wants `exists` to be right. */
export function bridgeScript(names: HostNames, subnet: string, exists: boolean, hasIpv6: boolean): string[] {
  const { bridge } = names;
  const mac = macOf(gatewayOf(subnet));
  return [
    ...(exists ? [] : [`link add ${bridge} address ${mac} type bridge stp_state 0 mcast_snooping 0`]),
    `address replace ${gatewayOf(subnet)}/16 dev ${bridge}`,
    ...(hasIpv6 ? [`address replace ${GATEWAY_IPV6}/64 dev ${bridge} nodad`] : []),
    `link set ${bridge} up`,
  ];
}

/**
 * A machine's namespace and the link into it. The link is isolated before it is up: machines of one host never see
 * each other's frames.
 */
export function linkScript(
  names: HostNames,
  machine: NetworkSpec,
  found: { netns: boolean; veth: boolean },
  hasIpv6: boolean,
): string[] {
  const netns = names.netnsOf(machine.machineId);
  const veth = names.vethOf(machine.machineId);
  return [
    ...(found.netns ? [] : [`netns add ${netns}`]),
    ...(found.veth ? [`link delete ${veth}`] : []),
    `link add ${veth} type veth peer name eth0 address ${macOf(machine.ipv4)} netns ${netns}`,
    `link set ${veth} master ${names.bridge} alias ${machine.machineId}`,
    `link set ${veth} type bridge_slave isolated on`,
    `link set ${veth} up`,
    ...(hasIpv6 ? [`route replace ${machine.privateIp}/128 dev ${names.bridge}`] : []),
  ];
}

/** The inside of a machine's namespace, for `ip -netns NAME -batch`. */
export function insideScript(subnet: string, machine: NetworkSpec, hasIpv6: boolean): string[] {
  return [
    "link set lo up",
    ...(hasIpv6 ? ["link set eth0 addrgenmode none"] : []),
    `address replace ${machine.ipv4}/16 dev eth0`,
    "link set eth0 up",
    `route replace default via ${gatewayOf(subnet)}`,
    ...(hasIpv6
      ? [
          `address replace ${linkLocalOf(machine.ipv4)}/64 dev eth0 nodad`,
          `address replace ${machine.privateIp}/128 dev eth0 nodad`,
          `route replace default via ${GATEWAY_IPV6} dev eth0`,
        ]
      : []),
  ];
}

/** Takes away a machine's link and namespace, whatever of them is found. */
export function unlinkScript(
  names: HostNames,
  machineId: string,
  found: { netns: boolean; veth: boolean },
): string[] {
  return [
    ...(found.veth ? [`link delete ${names.vethOf(machineId)}`] : []),
    ...(found.netns ? [`netns delete ${names.netnsOf(machineId)}`] : []),
  ];
}
