import { z } from "zod";
import { placementSchema } from "./placement.ts";

/**
 * A machine's config: field names, shapes and defaults as in the Fly Machines API (`fly.MachineConfig`). Fields that
 * Drover does not act on yet are kept as given: settings must never get lost. `publish` and `placement` are Drover's own.
 */

const signal = z.enum(["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"]);
export type StopSignal = z.infer<typeof signal>;

/** "5s", "1m30s", "500ms", or a number of nanoseconds as Go's clients send it. Kept as given. */
export const durationSchema = z.union([
  z.string().regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/, "a duration is like 30s, 45m or 1h30m"),
  z.number().int().min(0),
]);

/** A duration of `durationSchema` in milliseconds. */
export function durationMs(duration: string | number): number {
  if (typeof duration === "number") return duration / 1e6;
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
  let totalMs = 0;
  for (const [, amount, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * unitMs[unit as keyof typeof unitMs];
  }
  return totalMs;
}

export const guestSchema = z.looseObject({
  cpu_kind: z.enum(["shared", "performance"]).optional(),
  cpus: z.number().int().min(1).max(256).optional(),
  memory_mb: z.number().int().min(16).max(4_194_304).optional(),
});

export const restartSchema = z.looseObject({
  policy: z.enum(["no", "always", "on-failure"]).optional(),
  max_retries: z.number().int().min(0).max(1000).optional(),
});

/** A host port that leads to the machine: on the host's loopback, without the router. */
export const publishSchema = z.strictObject({
  host_port: z.number().int().min(1).max(65_535),
  machine_port: z.number().int().min(1).max(65_535),
  protocol: z.enum(["tcp", "udp"]).default("tcp"),
});

const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, "names are letters, digits and _");
const word = z
  .string()
  .max(65_536)
  .refine((text) => !text.includes("\0"), "no NUL bytes");

export const machineConfigSchema = z.looseObject({
  image: z.string().min(1).max(1024),
  env: z.record(envName, word).optional(),
  guest: guestSchema.optional(),
  init: z
    .looseObject({
      entrypoint: z.array(word).nullish(),
      cmd: z.array(word).nullish(),
      exec: z.array(word).nullish(),
      tty: z.boolean().optional(),
    })
    .optional(),
  restart: restartSchema.optional(),
  stop_config: z
    .looseObject({ signal: signal.optional(), timeout: durationSchema.optional() })
    .refine(
      (stop) => stop.timeout === undefined || durationMs(stop.timeout) <= 300_000,
      "timeout is at most 300s",
    )
    .optional(),
  auto_destroy: z.boolean().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  services: z.array(z.looseObject({})).optional(),
  mounts: z.array(z.looseObject({})).optional(),
  publish: z.array(publishSchema).max(64).optional(),
  placement: placementSchema.optional(),
  workdir: z.string().startsWith("/").optional(),
  user: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?$/)
    .optional(),
});

export type MachineConfig = z.infer<typeof machineConfigSchema>;
export type PublishedPort = z.infer<typeof publishSchema>;

const computeShape = {
  /** Thousandths of a CPU that are promised: 1000 per performance CPU, 62 per shared one (1/16, as Fly's). */
  cpuMillis: z.number().int().min(0),
  memoryMib: z.number().int().min(0),
};

/** What a machine takes from its host while it is active. */
export const computeSchema = z.strictObject(computeShape);

/** What a host has, and what is promised of it: to machines, to volumes. */
export const resourcesSchema = z.strictObject({
  ...computeShape,
  /** Room for volumes and their snapshots; absent: none. */
  volumeMib: z.number().int().min(0).optional(),
});
export type Resources = z.infer<typeof resourcesSchema>;

const SHARED_CPU_MILLIS = 62;
const DEFAULT_MEMORY_MIB = 256;

/** The resources that a config asks for, defaults filled in: one shared CPU, 256 MiB. */
export function resourcesOf(config: Pick<MachineConfig, "guest">): Resources {
  const cpus = config.guest?.cpus ?? 1;
  const perCpu = config.guest?.cpu_kind === "performance" ? 1000 : SHARED_CPU_MILLIS;
  return { cpuMillis: cpus * perCpu, memoryMib: config.guest?.memory_mb ?? DEFAULT_MEMORY_MIB };
}
