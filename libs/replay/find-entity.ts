import { listMachines, listVolumes } from "#fleet";
import { RefusedError, refusal } from "#kernel";
import { isTerminal } from "#machines";
import { type Entity, type EntityKind, factsOf, formatEntity, type World } from "#timeline";

/**
 * What a text may mean at a moment: `kind/ID`, `kind/NAME`, an id, the name of a machine or a volume, or `app/NAME`.
 * Exactly, never by a beginning (F48). Of several kinds the first one counts that has it; what is there comes before what
 * is only remembered under that name.
 */
export function entitiesNamed(world: World, text: string, kinds: readonly EntityKind[]): Entity[] {
  const slash = text.indexOf("/");
  const only = kinds.find((kind) => kind === text.slice(0, Math.max(0, slash)));
  if (only !== undefined) {
    const found = ofKind(world, text.slice(slash + 1), only);
    if (found.length > 0) return found;
  }
  for (const kind of kinds) {
    const found = ofKind(world, text, kind);
    if (found.length > 0) return found;
  }
  return [];
}

function ofKind(world: World, text: string, kind: EntityKind): Entity[] {
  if (factsOf(world, { kind, id: text }) !== undefined) return [{ kind, id: text }];
  const [ofApp, name] = text.includes("/") ? text.split("/", 2) : [undefined, text];
  const all =
    kind === "machine" ? machinesOf(world, ofApp) : kind === "volume" ? volumesOf(world, ofApp) : [];
  const named = all.filter((each) => each.name === name);
  const there = named.filter(({ isGone }) => !isGone);
  return (there.length > 0 ? there : named).map(({ id }) => ({ kind, id }));
}

/** The one thing that a text means. Throws a refusal that says what to write instead. */
export function oneNamed(world: World, text: string, kinds: readonly EntityKind[]): Entity {
  const found = entitiesNamed(world, text, kinds);
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    const message = `there is no ${kinds.join(", ")} ${text} at that moment: use an id or a name as it was then`;
    throw new RefusedError(refusal("not_found", message));
  }
  const message = `"${text}" may be ${found.map(formatEntity).join(" or ")}: use one of these`;
  throw new RefusedError(refusal("invalid", message));
}

/** `ENTITY` or `ENTITY.PATH`: names may have dots in them, so the longest one that there is counts. */
export function fieldNamed(
  world: World,
  text: string,
  kinds: readonly EntityKind[],
): { readonly entity: Entity; readonly path: string } {
  for (let end = text.length; end > 0; end = text.lastIndexOf(".", end - 1)) {
    const named = text.slice(0, end);
    if (entitiesNamed(world, named, kinds).length === 0) continue;
    return { entity: oneNamed(world, named, kinds), path: text.slice(end + 1) };
  }
  return { entity: oneNamed(world, text.split(".", 1)[0]!, kinds), path: "" };
}

interface Named {
  readonly id: string;
  readonly name: string | undefined;
  readonly isGone: boolean;
}

/** Of one that no host has, or has told of, CONTROL knows the name. */
function machinesOf({ view }: World, ofApp: string | undefined): Named[] {
  const told = listMachines(view, ofApp).map(({ machineId: id, machine }) => ({
    ...{ id, name: machine?.name },
    isGone: machine !== undefined && isTerminal(machine.state),
  }));
  const known = new Set(told.filter(({ name }) => name !== undefined).map(({ id }) => id));
  const claimed = [...view.control.names].flatMap(([key, { machineId: id }]) => {
    const [appName, name] = key.split("/", 2);
    const isMeant = ofApp === undefined || appName === ofApp;
    return isMeant && !known.has(id) && view.control.placements.has(id) ? [{ id, name, isGone: false }] : [];
  });
  return [...told, ...claimed];
}

function volumesOf({ view }: World, ofApp: string | undefined): Named[] {
  return listVolumes(view, ofApp).map(({ volumeId: id, volume }) => ({
    ...{ id, name: volume?.name },
    isGone: volume?.state === "destroyed",
  }));
}
