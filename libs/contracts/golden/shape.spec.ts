import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { VOCABULARY } from "../upcast.ts";
import { type Shapes, shapeChange, shapeName, shapeOf } from "./shape.ts";

const released: Shapes = JSON.parse(readFileSync(new URL("./shapes.json", import.meta.url), "utf8"));

/** What is to be done about a type's shape; undefined when nothing is. */
function advice(type: string, shapes: Shapes = released): string | undefined {
  const name = shapeName(type);
  const before = shapes[name];
  if (before === undefined)
    return `${name} is new: build, then run node dist/libs/contracts/golden/add-missing.js`;
  const changed = shapeChange(before, shapeOf(type));
  if (changed === undefined) return undefined;
  return (
    `${type} is otherwise than ${name} was released, at ${changed}: old code would read it wrongly, or not at all (F05). ` +
    "Give the type one more upcast in libs/contracts/upcast.ts, which makes a new version, and add its golden files"
  );
}

describe("the shape of an event", () => {
  it.each(VOCABULARY.types())("of type %s is the one of its version", (type) => {
    expect(advice(type)).toBeUndefined();
  });

  it("is not changed unnoticed", () => {
    const { properties, ...rest } = released[shapeName("MachineStarted")] as { properties: object };
    const before = { ...rest, properties: { ...properties, startedAtMs: { type: "string" } } };
    expect(advice("MachineStarted", { ...released, "MachineStarted.v1": before })).toMatch(
      /^MachineStarted is otherwise than MachineStarted.v1 was released, at data.startedAtMs.type: .*one more upcast/,
    );
    expect(advice("MachineStarted", {})).toMatch(/^MachineStarted.v1 is new: /);
  });

  const shape = (schema: z.ZodType) => z.toJSONSchema(schema);
  const strict = z.strictObject({ a: z.string(), b: z.number().optional() });
  const open = z.looseObject({ a: z.string(), b: z.looseObject({ c: z.number() }).optional() });

  it.each([
    ["a member more", strict, strict.extend({ c: z.string().optional() }), "data.c"],
    ["a member less", strict, strict.omit({ b: true }), "data.b"],
    ["another type", strict, strict.extend({ a: z.number() }), "data.a.type"],
    ["a member that has to be there now", strict, strict.required(), "data.required.1"],
    ["more members of an open object", open, open.extend({ d: z.string().optional() }), undefined],
    ["another type in an open object", open, open.extend({ a: z.number() }), "data.a.type"],
    [
      "a member of an open object that has to be there",
      open,
      open.extend({ d: z.string() }),
      "data.required.1",
    ],
    ["the same", strict, z.strictObject({ a: z.string(), b: z.number().optional() }), undefined],
  ])("%s", (_, before, after, changed) => {
    expect(shapeChange(shape(before), shape(after))).toBe(changed);
  });
});
