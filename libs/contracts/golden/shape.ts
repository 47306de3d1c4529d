import { z } from "zod";
import { VOCABULARY } from "../upcast.ts";

/** A schema as plain JSON (JSON Schema). */
export type Shape = { readonly [member: string]: unknown };

/** By type and version, "MachineStarted.v1": the shape in which it was written when it was the type's newest. */
export type Shapes = Readonly<Record<string, Shape>>;

/** The shape in which a type is written today. */
export function shapeOf(type: string): Shape {
  const schema = VOCABULARY.schemaOf(type);
  if (schema === undefined) throw new Error(`event type ${type} is not known`);
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { unrepresentable: "any" });
  return shape as Shape;
}

/** The name of a type's newest version in the list of shapes. */
export function shapeName(type: string): string {
  return `${type}.v${VOCABULARY.currentVersionOf(type)}`;
}

/**
 * Where a shape is otherwise than it was when its version was released, as a path; undefined where it is not. Of open
 * objects (a machine's config) more members may be known than then: old code keeps what it does not know.
 */
export function shapeChange(released: unknown, today: unknown, path = "data"): string | undefined {
  if (!isObject(released) || !isObject(today)) return released === today ? undefined : path;
  const isOpen = isObject(released.additionalProperties);
  for (const key of new Set([...Object.keys(released), ...Object.keys(today)])) {
    const [before, after] = [released[key], today[key]];
    const changed =
      key === "properties" && isOpen && isObject(before) && isObject(after)
        ? shapeChange(before, known(after, before), path)
        : shapeChange(before, after, key === "properties" ? path : `${path}.${key}`);
    if (changed !== undefined) return changed;
  }
  return undefined;
}

/** Of the members today those that were there before. */
function known(after: Shape, before: Shape): Shape {
  return Object.fromEntries(Object.entries(after).filter(([name]) => name in before));
}

function isObject(value: unknown): value is Shape {
  return typeof value === "object" && value !== null;
}
