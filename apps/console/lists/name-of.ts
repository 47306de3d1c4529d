import { splitEntity, textOf } from "../history/facts.ts";
import type { Scene } from "../history/scene.ts";

/** How an entity is called in a list: by its name where it has one at the moment shown. */
export function nameOf(scene: Scene, entity: string): string {
  const { kind, id } = splitEntity(entity);
  const facts = scene.facts(entity);
  const name = facts === undefined ? "" : textOf(facts, "name");
  if (name !== "") return name;
  return kind === "host" || kind === "app" ? id : `${kind} ${id}`;
}
