import { readdirSync, readFileSync } from "node:fs";

/** A process told apart from any other that has or had its pid since the boot (F21). */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the boot to its start: field 22 of /proc/PID/stat. */
  readonly startTicks: number;
}

/** The process that has this pid now; undefined when none has, or a dead one that nobody has waited for yet. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProc(pid, "stat");
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : { pid, startTicks: Number(fields[19]) };
}

/** Whether that very process still lives. */
export function lives(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTicks === process.startTicks;
}

/** The session that a process belongs to, by its leader's pid: field 6 of /proc/PID/stat. Undefined when it is gone. */
export function sessionOf(pid: number): number | undefined {
  const stat = readProc(pid, "stat");
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[3]);
}

/** Signals that very process; false when it is gone. */
export function signalTo(target: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  return lives(target) && signalPid(target.pid, signal);
}

/** Signals whatever has the pid; false when nothing has. */
export function signalPid(pid: number, signal: NodeJS.Signals | number): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** All processes whose arguments satisfy `matches`. Reads all of /proc: not for every launch. */
export function processesWhose(matches: (argv: readonly string[]) => boolean): ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const argv = readProc(pid, "cmdline")?.split("\0");
    const identity = argv !== undefined && matches(argv) ? identify(pid) : undefined;
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

/** A file of /proc/PID; undefined when the process is gone. */
export function readProc(pid: number, file: "stat" | "cmdline" | "comm"): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
