import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

/** A process of this machine, told apart from a later one with the same pid by its start time (F21). */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot, from /proc/<pid>/stat. */
  readonly startTime: string;
}

/**
 * Finds this user's process that was started with `flag path`: a service's settings file is its name, unique on the
 * machine. No record of pids is kept, so none can be stale or missing after a crash.
 */
export function findByArgument(flag: string, path: string): ProcessIdentity | undefined {
  for (const pid of ownPids()) {
    if (pid === process.pid) continue;
    const args = argumentsOf(pid);
    if (!args.some((arg, index) => arg === flag && args[index + 1] === path)) continue;
    const identity = identityOf(pid);
    if (identity !== undefined) return identity;
  }
  return undefined;
}

/** This user's process that has the unix socket of that abstract name open; undefined when nobody's or another's is. */
export function findBySocket(name: string): ProcessIdentity | undefined {
  const line = readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .find((each) => each.endsWith(` @${name}`));
  const inode = line?.trim().split(/\s+/)[6];
  if (inode === undefined) return undefined;
  const pid = ownPids().find((each) => descriptorsOf(each).includes(`socket:[${inode}]`));
  return pid === undefined ? undefined : identityOf(pid);
}

/** The identity of a living process; undefined when it is gone or a zombie. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command in parentheses may itself hold spaces and parentheses: fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return { pid, startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** Whether exactly this process still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startTime === identity.startTime;
}

/** Signals exactly this process, never one that has taken its pid. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Of this user's processes only: what another calls himself is no reason to believe him. */
function ownPids(): number[] {
  const mine = process.geteuid?.();
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && userOf(entry) === mine)
    .map(Number);
}

function userOf(pid: string): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined;
  }
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(`/proc/${pid}/fd/${fd}`) ?? []);
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
