import { z } from "zod";
import {
  durationMs,
  durationSchema,
  machineConfigSchema,
  mountsSchema,
  regionsSchema,
  SUBJECT_TOKEN,
  serviceSchema,
} from "#contracts";
import { MACHINE_STATES } from "#machines";
import type { MachineFilter, PageMark } from "#read-model";

/** What clients send about machines: names and shapes of the Machines API. */

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "lowercase letters, digits and dashes, at most 63");
export const appNameSchema = name;
export const machineIdSchema = z.string().regex(SUBJECT_TOKEN, "not a machine id");
const signal = z.enum(["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"]);
export const flag = z
  .union([z.boolean(), z.enum(["true", "false", "1", "0", ""])])
  .transform((value) => value === true || value === "true" || value === "1");

/** A config as callers may give it today. Logs hold what was given before, and are read all the same. */
const givenConfigSchema = machineConfigSchema.extend({
  services: z.array(serviceSchema).max(64).optional(),
  mounts: mountsSchema.optional(),
});

export const createMachineSchema = z.looseObject({
  name: name.optional(),
  /** One region, or several with commas between them, the preferred one first. */
  region: regionsSchema.optional(),
  config: givenConfigSchema,
  skip_launch: z.boolean().optional(),
  /** It takes no requests before it is uncordoned. */
  skip_service_registration: z.boolean().optional(),
});

export const updateMachineSchema = z.looseObject({
  name: z.string().optional(),
  region: z.string().optional(),
  config: givenConfigSchema,
  current_version: z.string().optional(),
  skip_launch: z.boolean().optional(),
  skip_service_registration: z
    .literal(false, "an update leaves that as it is: cordon the machine before, uncordon it after")
    .optional(),
});

/** A stop's or restart's time limit: a duration, or a bare number of seconds. In milliseconds, at most 300 s. */
const timeout = z
  .union([z.string().regex(/^\d+$/).transform(Number), durationSchema])
  .transform((value) => Math.ceil(typeof value === "number" ? secondsOrNanos(value) : durationMs(value)))
  .refine((ms) => ms <= 300_000, "timeout is at most 300s");

/** Go's clients marshal a duration as nanoseconds; people write seconds. Nothing in between makes sense. */
function secondsOrNanos(value: number): number {
  return value < 1e6 ? value * 1000 : value / 1e6;
}

export const stopMachineSchema = z.looseObject({ signal: signal.optional(), timeout: timeout.optional() });
/** `kill` is what Fly's Go client sends for `force`. */
export const destroyQuerySchema = z.looseObject({ force: flag.optional(), kill: flag.optional() });

export const stateList = z.union([z.string(), z.array(z.string())]).transform((value) =>
  [value]
    .flat()
    .flatMap((item) => item.split(","))
    .filter((item) => item !== ""),
);

const listShape = {
  include_deleted: flag.optional(),
  region: z.string().optional(),
  state: stateList.pipe(z.array(z.enum(MACHINE_STATES))).optional(),
  summary: flag.optional(),
};
/** Beside these, `metadata.KEY=VALUE`. */
export const listQuerySchema = z.looseObject(listShape);
export type ListQuery = z.infer<typeof listQuerySchema>;

/** Where a page ended, as the client gives it back: it is ours to read, and nobody else's. */
export const cursor = z.string().transform((text, context): PageMark => {
  const [, updatedAtMs, machineId] = /^(\d{1,15})\.([\w-]{1,64})$/.exec(fromBase64(text)) ?? [];
  if (machineId !== undefined) return { updatedAtMs: Number(updatedAtMs), machineId };
  context.addIssue({ code: "custom", message: "not a cursor: give back next_cursor as it came" });
  return z.NEVER;
});

export const orgQuerySchema = z.looseObject({
  ...listShape,
  /** RFC 3339. A cursor takes its place. */
  updated_after: z.iso.datetime({ offset: true }).transform(Date.parse).optional(),
  cursor: cursor.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
});

/** The cursor of a page that ended there. */
export function cursorOf({ updatedAtMs, machineId }: PageMark): string {
  return Buffer.from(`${updatedAtMs}.${machineId}`).toString("base64url");
}

function fromBase64(text: string): string {
  return Buffer.from(text, "base64url").toString("latin1");
}

/** What a list's query asks of the machines themselves. */
export function machineFilterOf(query: ListQuery): MachineFilter {
  const metadata = Object.entries(query).flatMap(([key, value]) =>
    key.startsWith("metadata.") && typeof value === "string" ? [[key.slice("metadata.".length), value]] : [],
  );
  return {
    includeEnded: query.include_deleted === true,
    metadata: Object.fromEntries(metadata),
    ...(query.region === undefined ? {} : { region: query.region }),
    ...(query.state === undefined ? {} : { states: query.state }),
  };
}

export const WAITED_STATES = ["started", "stopped", "suspended", "destroyed", "failed", "settled"] as const;

export const waitQuerySchema = z.looseObject({
  state: stateList.pipe(z.array(z.enum(WAITED_STATES)).min(1)).default(["started"]),
  version: z.string().optional(),
  instance_id: z.string().optional(),
  from_event_id: z.string().optional(),
  /** Seconds. */
  timeout: z.coerce.number().int().min(1).max(60).default(60),
});
export type WaitQuery = z.infer<typeof waitQuerySchema>;

export const eventsQuerySchema = z.looseObject({
  limit: z.coerce.number().int().min(1).max(50).default(20),
  /** An event's id: what came before it. So all of a history can be read, page by page. */
  before: z.string().max(64).optional(),
});
