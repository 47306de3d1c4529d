import type { Readable, Writable } from "node:stream";

/** Columns and rows of a terminal. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** A program that is to run beside a machine's own process. */
export interface ExecSpec {
  /** Program and arguments; at least one. */
  readonly args: readonly string[];
  /** Without it, the program reads nothing. */
  readonly hasStdin: boolean;
  /** It runs at a terminal. `name`: of its kind, as in TERM. */
  readonly terminal?: TerminalSize & { readonly name: string };
}

/** How it ended: as a shell tells it, so of a signal too there is an exit code. */
export interface ExecExit {
  readonly exitCode: number;
  /** 0 unless a signal ended it. */
  readonly exitSignal: number;
}

/** A program that runs beside a machine's own process. All of its output is to be read: it waits for that. */
export interface ExecProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** At a terminal all comes as `stdout`. */
  readonly stderr: Readable;
  /** Resolves when it has ended, and whatever it left behind has let go of its output. */
  readonly exit: Promise<ExecExit>;
  /** Of its terminal, where it has one. */
  resize(size: TerminalSize): void;
  /** Signals the program, and those of its children that are in its process group. */
  signal(signalName: NodeJS.Signals): void;
  /** Kills it with everything that it began in its session, background jobs included. */
  kill(): void;
}
