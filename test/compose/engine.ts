import { execFileSync } from "node:child_process";

/** Whether a Docker Engine with compose is at hand: `DOCKER_HOST`'s, or this machine's own. */
export function hasEngine(): boolean {
  try {
    execFileSync("docker", ["info"], { stdio: "ignore", timeout: 10_000 });
    execFileSync("docker", ["compose", "version"], { stdio: "ignore", timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
