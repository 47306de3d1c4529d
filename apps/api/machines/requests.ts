import { z } from "zod";
import {
  durationMs,
  durationSchema,
  machineConfigSchema,
  regionsSchema,
  SUBJECT_TOKEN,
  serviceSchema,
} from "#contracts";
import { MACHINE_STATES } from "#machines";

/** What clients send about machines: names and shapes of the Machines API. */

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "lowercase letters, digits and dashes, at most 63");
export const appNameSchema = name;
export const machineIdSchema = z.string().regex(SUBJECT_TOKEN, "not a machine id");
const signal = z.enum(["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"]);
const flag = z
  .union([z.boolean(), z.enum(["true", "false", "1", "0", ""])])
  .transform((value) => value === true || value === "true" || value === "1");

/** A config as callers may give it today. Logs hold what was given before, and are read all the same. */
const givenConfigSchema = machineConfigSchema.extend({ services: z.array(serviceSchema).max(64).optional() });

export const createMachineSchema = z.looseObject({
  name: name.optional(),
  /** One region, or several with commas between them, the preferred one first. */
  region: regionsSchema.optional(),
  config: givenConfigSchema,
  skip_launch: z.boolean().optional(),
});

export const updateMachineSchema = z.looseObject({
  name: z.string().optional(),
  region: z.string().optional(),
  config: givenConfigSchema,
  current_version: z.string().optional(),
  skip_launch: z.boolean().optional(),
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

const stateList = z.union([z.string(), z.array(z.string())]).transform((value) =>
  [value]
    .flat()
    .flatMap((item) => item.split(","))
    .filter((item) => item !== ""),
);

export const listQuerySchema = z.looseObject({
  include_deleted: flag.optional(),
  region: z.string().optional(),
  state: stateList.pipe(z.array(z.enum(MACHINE_STATES))).optional(),
  summary: flag.optional(),
});

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

export const eventsQuerySchema = z.looseObject({ limit: z.coerce.number().int().min(1).max(50).default(20) });
