import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Bundle } from "./bundle.ts";
import type { LaunchSpec } from "./container-runtime.ts";
import { type GuestFiles, guestFiles, writeGuestFiles } from "./guest-files.ts";
import { makeMountPoints } from "./mount-points.ts";
import { type OciSurroundings, ociSpec } from "./oci-spec.ts";
import { type ProcessUser, resolveUser } from "./user.ts";

/** What the plan takes from the host rather than from the launch. */
export type PlanSurroundings = Pick<OciSurroundings, "cgroup" | "limitsSwap" | "maxOpenFiles">;

/** All that a container is made from. */
export interface LaunchPlan {
  readonly config: Readonly<Record<string, unknown>>;
  readonly etc: GuestFiles;
}

/** Throws `TerminalError` ("launch_failed") when the image knows no such user, or has no place for a mount. */
export async function planOf(
  spec: LaunchSpec,
  { etcFolder }: Bundle,
  around: PlanSurroundings,
): Promise<LaunchPlan> {
  const [user, etc] = await Promise.all([
    resolveUser(spec.rootfsPath, spec.process.user),
    guestFiles(spec),
    makeMountPoints(spec.rootfsPath, spec.mounts),
  ]);
  return { config: ociSpec(spec, { ...around, user, etcFolder }), etc };
}

export async function layOut({ config, etc }: LaunchPlan, bundle: Bundle): Promise<void> {
  await Promise.all([writeGuestFiles(bundle.etcFolder, etc), bundle.writeSpec(config)]);
}

/** Whom a user's name means follows from the root filesystem, which no process has changed yet. */
const ANYBODY: ProcessUser = { uid: 0, gid: 0, additionalGids: [], home: "/" };

/** Tells what a plan is made from, on this very root filesystem and volume, in this very network, from anything else. */
export async function digestOf(
  spec: LaunchSpec,
  { etcFolder }: Bundle,
  around: PlanSurroundings,
): Promise<string> {
  const config = ociSpec(spec, { ...around, user: ANYBODY, etcFolder });
  const places = [spec.rootfsPath, spec.netnsPath, ...spec.mounts.map(({ source }) => source)];
  const found = await Promise.all([guestFiles(spec), ...places.map(identityOf)]);
  const whole = JSON.stringify([config, spec.process.user, spec.logPath, found]);
  return createHash("sha256").update(whole).digest("hex");
}

/** A mount, or a namespace: whatever is made anew under the same path has another. */
async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path);
  return `${dev} ${ino}`;
}
