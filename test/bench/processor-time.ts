import { readFile } from "node:fs/promises";

/** Clock ticks of /proc per second (USER_HZ). */
const TICKS = 100;

/** Seconds of processor time that a process has taken so far, the kernel's work for it included. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The command in parentheses may itself hold spaces: fields count from the last one.
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13);
  return (Number(user) + Number(system)) / TICKS;
}
