import type { Resources } from "#contracts";
import { type Cordon, type Host, promisedOf } from "#hosts";
import { isTerminal, type Machine } from "#machines";
import type { HostContact } from "../fleet/host-contact.ts";

/** A host as the API shows it: what its own log says, and whether it is there. `machines`: those that are on it. */
export function hostJson(
  host: Host,
  machines: readonly Machine[],
  contact: Pick<HostContact, "statusOf" | "heardAtMs" | "agentVersionOf">,
) {
  const promised = promisedOf(host);
  const roomOf = (unit: keyof Resources) => {
    const [has, given] = [host.capacity[unit] ?? 0, promised[unit] ?? 0];
    return { promised: given, capacity: has, free: has - given };
  };
  const heardAtMs = contact.heardAtMs(host.id);
  return {
    id: host.id,
    region: host.region,
    status: contact.statusOf(host.id),
    last_heard: heardAtMs === undefined ? null : new Date(heardAtMs).toISOString(),
    agent_version: contact.agentVersionOf(host.id) ?? null,
    agent_epoch: host.agentEpoch,
    log_id: host.logId,
    features: host.features,
    machines: machines.filter(({ state }) => !isTerminal(state)).length,
    running: machines.filter(({ state }) => state === "started").length,
    max_machines: host.maxMachines,
    cpu_millis: roomOf("cpuMillis"),
    memory_mib: roomOf("memoryMib"),
    volume_mib: roomOf("volumeMib"),
    ...(host.cordon === undefined ? {} : { cordon: cordonJson(host.cordon) }),
  };
}

function cordonJson({ owner, reason, expiresAtMs }: Cordon) {
  return { owner, reason, expires_at: new Date(expiresAtMs).toISOString() };
}
