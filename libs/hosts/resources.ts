import type { Resources } from "#contracts";

export const NOTHING: Resources = { cpuMillis: 0, memoryMib: 0 };

/** Room for volumes, and nothing else. */
export function volumeRoom(volumeMib: number): Resources {
  return { ...NOTHING, volumeMib };
}

/** `a` and so many times `b`. Who never had room for volumes has none after it. */
export function plus(a: Resources, b: Resources, times: 1 | -1 = 1): Resources {
  const cpuMillis = a.cpuMillis + times * b.cpuMillis;
  const memoryMib = a.memoryMib + times * b.memoryMib;
  if (a.volumeMib === undefined && b.volumeMib === undefined) return { cpuMillis, memoryMib };
  return { cpuMillis, memoryMib, volumeMib: (a.volumeMib ?? 0) + times * (b.volumeMib ?? 0) };
}

export function isSameRoom(a: Resources, b: Resources): boolean {
  return a.cpuMillis === b.cpuMillis && a.memoryMib === b.memoryMib && a.volumeMib === b.volumeMib;
}
