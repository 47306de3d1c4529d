import { constants } from "node:os";

/** What a simulated process does. */
export interface SimulatedProgram {
  readonly isMissing: boolean;
  /** It ends at once, with this exit code. */
  readonly endsWith: number | undefined;
  /** How it ends after a signal: exit code, or 128 and the signal's number; undefined when it does not. */
  statusAfter(signalNumber: number): number | undefined;
}

const { SIGKILL, SIGTERM } = constants.signals;

/**
 * Reads a process's arguments: `exit CODE` ends at once; `serve` ends with code 3 after SIGTERM; `stubborn` heeds only
 * SIGKILL; `missing` is not in the image. Anything else runs until it gets a signal, and dies of that.
 */
export function programOf(args: readonly string[]): SimulatedProgram {
  const [name, code] = args;
  return {
    isMissing: name === "missing",
    endsWith: name === "exit" ? Number(code) : undefined,
    statusAfter: (signalNumber) => {
      if (signalNumber === SIGKILL) return 128 + SIGKILL;
      if (name === "stubborn") return undefined;
      return name === "serve" && signalNumber === SIGTERM ? 3 : 128 + signalNumber;
    },
  };
}
