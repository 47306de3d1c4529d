/**
 * What machines wrote to stdout and stderr, kept on this host in bounded room: old lines go when new ones come. Nothing
 * that a guest writes makes a reader use unbounded memory.
 */
export abstract class MachineLogs {
  /** Makes the machine's log ready to be written to by its monitor and returns the file's path. Idempotent. */
  abstract prepare(machineId: string): Promise<string>;

  /** The last `tail` lines, oldest first. Empty for an unknown machine. */
  abstract read(machineId: string, tail: number): Promise<MachineLogLine[]>;

  /**
   * The last `tail` lines and then each new one, in order and once, across rotations and restarts of the machine. Ends
   * when the signal fires or the log is removed. A machine that has no log yet is waited for.
   */
  abstract follow(machineId: string, tail: number, signal: AbortSignal): AsyncIterable<MachineLogLine>;

  /** Deletes the machine's log. Idempotent. */
  abstract remove(machineId: string): Promise<void>;

  /** Machines that have a log here: for finding what no event log knows of. */
  abstract list(): Promise<string[]>;
}

export interface MachineLogLine {
  /** When the line's first byte was read from the machine. */
  readonly atMs: number;
  readonly stream: "stdout" | "stderr";
  /** Without its newline, decoded as UTF-8. Very long lines arrive in pieces, one `MachineLogLine` each. */
  readonly text: string;
}
