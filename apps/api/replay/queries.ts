import { z } from "zod";
import { SUBJECT_TOKEN, VOCABULARY } from "#contracts";
import { parseEntity } from "#timeline";
import { readMoment } from "./moment-text.ts";
import { type Question, WHY_KINDS } from "./question.ts";

const MOST_STEPS = 2_000;

const moment = z
  .string()
  .max(16_384)
  .refine((text) => readMoment(text, 0) !== undefined, {
    error:
      "no moment: use now, a time (2026-11-24T12:00:00Z, epoch milliseconds or 10m), a position (LOG:SEQUENCE,…) or an event's id",
  });
const entity = z
  .string()
  .max(200)
  .refine((text) => parseEntity(text) !== undefined, {
    error: "no entity: use machine/ID, host/ID, volume/ID, snapshot/ID, app/NAME or reservation/ID",
  });
const id = z.string().regex(SUBJECT_TOKEN, "not an id");
const type = z
  .string()
  .refine((name) => (VOCABULARY.types() as readonly string[]).includes(name), "no event has that type");
const actor = z.string().min(1).max(200);
const flag = z.enum(["true", "false"], { error: "true or false" }).transform((text) => text === "true");

const atSchema = z.looseObject({ m: moment.default("now") });
const stepsSchema = z.looseObject({
  after: moment.optional(),
  before: moment.optional(),
  limit: z.coerce.number().int().min(1).max(MOST_STEPS).default(200),
  entity: entity.optional(),
  type: type.optional(),
  failures: flag.optional(),
});
const entitySchema = z.looseObject({ entity, m: moment.default("now") });
const diffSchema = z.looseObject({ a: moment, b: moment, entity: entity.optional() });
const whySchema = z.looseObject({
  kind: z.enum(WHY_KINDS, { error: `one of ${WHY_KINDS.join(", ")}` }).optional(),
  /** Without a kind also a name, "APP/NAME". */
  id: z.string().min(1).max(200),
  m: moment.default("now"),
});
const violationsSchema = z.looseObject({ until: moment.default("now") });
const logSchema = z.looseObject({
  since: moment.optional(),
  until: moment.default("now"),
  machine: id.optional(),
  volume: id.optional(),
  host: id.optional(),
  app: z.string().min(1).max(200).optional(),
  type: type.optional(),
  actor: actor.optional(),
  correlation: id.optional(),
});
const exportSchema = z
  .strictObject({
    entity: entity.optional(),
    violation: z
      .strictObject({ invariant: z.string().min(1).max(2_000), eventId: id, entity: entity.optional() })
      .optional(),
    event: id.optional(),
    b: moment.optional(),
  })
  .refine(
    (asked) => [asked.entity, asked.violation, asked.event].filter((one) => one !== undefined).length < 2,
    { error: "name no more than one of entity, violation and event" },
  );

/** Query strings and bodies, by question; each becomes one. */
export const QUERIES = {
  at: atSchema.transform(({ m }): Question => ({ ask: "at", m })),
  steps: stepsSchema
    .refine(({ after, before }) => (after === undefined) !== (before === undefined), {
      error: "give after=MOMENT or before=MOMENT",
    })
    .transform(({ after, before, limit, ...filter }): Question => {
      const { entity, type, failures } = filter;
      const direction = after === undefined ? "before" : "after";
      const m = after ?? before ?? "now";
      return { ask: "steps", direction, m, limit, filter: { entity, type, failures } };
    }),
  entity: entitySchema.transform(({ entity, m }): Question => ({ ask: "entity", entity, m })),
  diff: diffSchema.transform(({ a, b, entity }): Question => ({ ask: "diff", a, b, entity })),
  why: whySchema.transform(({ kind, id, m }): Question => ({ ask: "why", kind, id, m })),
  violations: violationsSchema.transform(({ until }): Question => ({ ask: "violations", until })),
  log: logSchema.transform(({ since = "", until, ...more }): Question => {
    const { machine, volume, host, app, type, actor, correlation } = more;
    const filter = { machine, volume, host, app, type, actor, correlation };
    return { ask: "log", since, until, filter };
  }),
  export: exportSchema.transform((request): Question => ({ ask: "export", request })),
} as const;
