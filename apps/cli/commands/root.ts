import { RefusedError, refusal } from "#kernel";

/** Namespaces, mounts and cgroups need root. Throws a refusal that says so. */
export function assertRoot(command: string): void {
  if (process.getuid?.() === 0) return;
  const message = `\`drover ${command}\` makes network namespaces, mounts and cgroups: run it as root (sudo)`;
  throw new RefusedError(refusal("forbidden", message));
}
