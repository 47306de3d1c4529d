import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Bundle } from "./bundle.ts";
import type { LaunchSpec } from "./container-runtime.ts";
import { type GuestFiles, guestFiles, writeGuestFiles } from "./guest-files.ts";
import { type OciSurroundings, ociSpec } from "./oci-spec.ts";
import { resolveUser } from "./user.ts";

/** All that a container is made from. */
export interface LaunchPlan {
  readonly config: Readonly<Record<string, unknown>>;
  readonly etc: GuestFiles;
  /** Tells this plan, on this very root filesystem and in this very network, from any other. */
  readonly digest: string;
}

/** Throws `TerminalError` ("launch_failed") when the image knows no such user. */
export async function planOf(
  spec: LaunchSpec,
  bundle: Bundle,
  around: Pick<OciSurroundings, "cgroup" | "limitsSwap" | "maxOpenFiles">,
): Promise<LaunchPlan> {
  const [user, etc, ...ground] = await Promise.all([
    resolveUser(spec.rootfsPath, spec.process.user),
    guestFiles(spec),
    identityOf(spec.rootfsPath),
    identityOf(spec.netnsPath),
  ]);
  const config = ociSpec(spec, { ...around, user, etcFolder: bundle.etcFolder });
  const whole = JSON.stringify([config, etc, ground, spec.logPath]);
  return { config, etc, digest: createHash("sha256").update(whole).digest("hex") };
}

export async function layOut({ config, etc }: LaunchPlan, bundle: Bundle): Promise<void> {
  await Promise.all([writeGuestFiles(bundle.etcFolder, etc), bundle.writeSpec(config)]);
}

/** A mount, or a namespace: whatever is made anew under the same path has another. */
async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path);
  return `${dev} ${ino}`;
}
