import type { ReplayAt, ReplayFacts, ReplayThing } from "#contracts";
import { listHosts, listMachines, listVolumes } from "#fleet";
import { formatPosition } from "#kernel";
import { isTerminal } from "#machines";
import { type EntityKind, factsOf, type World } from "#timeline";
import { isGone } from "#volumes";
import { isConfig } from "./step-json.ts";

/** Of one kind; an answer stays within a few megabytes. */
const MOST_THINGS = 5_000;

/** Everything that there is in a world, without what machines were asked to be. */
export function wholeState(world: World): ReplayAt {
  const { view } = world;
  const machines = listMachines(view).flatMap(({ machineId, machine }) =>
    machine !== undefined && isTerminal(machine.state) ? [] : [machineId],
  );
  const volumes = listVolumes(view).flatMap(({ volumeId, volume }) =>
    volume !== undefined && isGone(volume) ? [] : [volumeId],
  );
  const apps = [...view.control.apps].flatMap(([name, { deleted }]) => (deleted ? [] : [name]));
  const hosts = new Set([...listHosts(view).map(({ id }) => id), ...view.control.hosts.keys()]);
  const all = { hosts: [...hosts], machines, volumes, apps };
  const truncated = Object.values(all).some(({ length }) => length > MOST_THINGS);
  return {
    position: formatPosition(world.position),
    atMs: world.nowMs,
    hosts: things(world, "host", all.hosts),
    machines: things(world, "machine", all.machines),
    volumes: things(world, "volume", all.volumes),
    apps: things(world, "app", all.apps),
    ...(truncated ? { truncated } : {}),
  };
}

function things(world: World, kind: EntityKind, ids: readonly string[]): ReplayThing[] {
  return [...ids]
    .sort()
    .slice(0, MOST_THINGS)
    .flatMap((id) => {
      const facts = factsOf(world, { kind, id });
      return facts === undefined ? [] : [{ id, facts: withoutConfig(facts) }];
    });
}

function withoutConfig(facts: ReplayFacts): ReplayFacts {
  return Object.fromEntries(Object.entries(facts).filter(([path]) => !isConfig(path)));
}
