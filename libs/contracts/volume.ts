import { z } from "zod";

/** Ids as Fly's clients expect them. */
export const volumeIdSchema = z
  .string()
  .regex(/^vol_[a-z0-9]{16}$/, 'a volume id is "vol_" and 16 letters and digits');
export const snapshotIdSchema = z
  .string()
  .regex(/^vs_[a-z0-9]{16}$/, 'a snapshot id is "vs_" and 16 letters and digits');

/** A volume's size, whole GiB: Fly calls them GB. */
export const sizeGbSchema = z.number().int().min(1).max(65_536);
/** For how many days snapshots of a volume are kept. */
export const retentionDaysSchema = z.number().int().min(1).max(60);
export const DEFAULT_RETENTION_DAYS = 5;

export const volumeNameSchema = z
  .string()
  .regex(/^[a-z0-9_]{1,30}$/, "a volume's name is lower-case letters, digits and _, at most 30");

const MIB_PER_GB = 1024;

/** The room that a volume of this size takes. */
export function volumeMibOf(sizeGb: number): number {
  return sizeGb * MIB_PER_GB;
}

/** Where no volume may be mounted: the kernel's own trees. */
const TAKEN = ["proc", "sys", "dev"];

/** Whether a volume may be mounted there: absolute, nowhere above or in the kernel's own trees. */
function isMountPath(path: string): boolean {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const isPlain = path.startsWith("/") && !path.includes("\0") && !parts.includes("..");
  return isPlain && parts.length > 0 && !TAKEN.includes(parts[0]!);
}

/**
 * A mount of a machine's config: fields as in `fly.MachineMount`. What would be promised and not kept is refused; zero
 * values, as clients send them back, are not. `name`, `size_gb`: kept as given, the volume knows its own.
 */
export const mountSchema = z.looseObject({
  volume: volumeIdSchema,
  path: z
    .string()
    .max(4_096)
    .refine(
      isMountPath,
      "a mount's path is absolute, not / itself, without .., and not in /proc, /sys or /dev",
    ),
  name: z.string().optional(),
  size_gb: z.number().int().optional(),
  encrypted: z.literal(false, "volumes are not encrypted: leave it out or set it to false").optional(),
  add_size_gb: notByItself(),
  extend_threshold_percent: notByItself(),
  size_gb_limit: notByItself(),
});

function notByItself() {
  return z.literal(0, "volumes do not grow by themselves: extend them with a request").optional();
}

/** One volume per machine, as Fly has it. */
export const mountsSchema = z.array(mountSchema).max(1, "a machine mounts one volume at the most");

/** A config's mounts. One of before volumes may hold anything there: it mounts nothing, as then. */
export function mountsOf(config: { readonly mounts?: unknown }): z.infer<typeof mountsSchema> {
  return config.mounts === undefined ? [] : (mountsSchema.safeParse(config.mounts).data ?? []);
}

/** Ids of the volumes that a config mounts. */
export function mountedVolumesOf(config: { readonly mounts?: unknown }): string[] {
  return mountsOf(config).map(({ volume }) => volume);
}
