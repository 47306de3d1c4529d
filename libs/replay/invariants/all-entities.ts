import type { HostLogView } from "#fleet";
import { assertNever } from "#kernel";
import type { Entity, EntityKind, World } from "#timeline";

/** Everything of a kind that there is, or that CONTROL knows to be coming. */
export function* allEntities(
  kind: EntityKind,
  { view }: World,
  logs: ReadonlyMap<string, HostLogView>,
): Generator<Entity> {
  for (const id of new Set(idsOf(kind, view.control, logs))) yield { kind, id };
}

function* idsOf(
  kind: EntityKind,
  control: World["view"]["control"],
  logs: ReadonlyMap<string, HostLogView>,
): Generator<string> {
  switch (kind) {
    case "machine":
      for (const { host } of logs.values()) yield* host.machines.keys();
      return yield* control.placements.keys();
    case "volume":
      for (const { host } of logs.values()) yield* host.volumes.keys();
      return yield* control.volumePlacements.keys();
    case "snapshot":
      for (const { host } of logs.values()) yield* host.snapshots.keys();
      return;
    case "reservation":
      for (const { host } of logs.values()) yield* host.reservations.keys();
      return;
    case "host":
      yield* logs.keys();
      return yield* control.hosts.keys();
    case "app":
      return yield* control.apps.keys();
    default:
      return assertNever(kind);
  }
}
