import { findMachine } from "#fleet";
import { isTerminal } from "#machines";
import type { Entity } from "#timeline";
import { stateRule } from "./rules.ts";

export const noRouteToStoppedMachine = stateRule({
  name: "no-route-to-stopped-machine",
  says: "what routers know of a machine is what its host says: where it is, its state, its address and its start (I7)",
  *all({ routes }, logs) {
    const ids = new Set(routes.all().keys());
    for (const { host } of logs.values()) for (const id of host.machines.keys()) ids.add(id);
    for (const id of ids) yield { kind: "machine", id } as const;
  },
  concerned: ({ effect }) => effect.touched.filter(({ kind }) => kind === "machine"),
  broken({ id }: Entity, { view, routes }, logs) {
    const route = routes.get(id);
    const { machine, hostId } = findMachine(view, id, logs) ?? {};
    const isThere = machine !== undefined && !isTerminal(machine.state);
    if (!isThere) {
      return route && `routers send to ${route.hostId}, ${route.state}: it is ${machine?.state ?? "nowhere"}`;
    }
    if (route === undefined) return `routers know nothing of it: it is ${machine.state} on ${hostId}`;
    if (route.state !== machine.state) return `routers take it for ${route.state}: it is ${machine.state}`;
    if (route.hostId !== hostId) return `routers send to ${route.hostId}: it is on ${hostId}`;
    if (route.startId !== machine.startId) {
      return `routers send to start ${route.startId ?? "none"}: ${machine.startId ?? "none"} is what runs`;
    }
    return route.ipv4 === machine.ipv4 ? undefined : `routers dial ${route.ipv4}: it is at ${machine.ipv4}`;
  },
});
