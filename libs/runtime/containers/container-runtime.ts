import type { MachineExit, Resources } from "#contracts";
import type { ExecProcess, ExecSpec } from "./exec-process.ts";

/** A folder of the host, such as a volume's, that a machine sees as its own. */
export interface LaunchMount {
  /** Absolute path on the host; it must exist. */
  readonly source: string;
  /** Absolute path in the machine, outside /proc, /sys and /dev; no part of it may be a link. Made where it is missing. */
  readonly destination: string;
}

/** All that one start of a machine's process needs. */
export interface LaunchSpec {
  readonly machineId: string;
  /** Id of the start operation. The process of one start id is never run twice. */
  readonly startId: string;
  /** Where the machine's root filesystem is mounted. */
  readonly rootfsPath: string;
  /** The network namespace that `MachineNetwork.prepare` gave. */
  readonly netnsPath: string;
  readonly hostname: string;
  /** The machine's own addresses, for its /etc/hosts. */
  readonly addresses: readonly string[];
  readonly process: {
    /** Program and arguments; at least one. */
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    /** `user`, `uid`, `user:group` or `uid:gid` as in the image; empty is root. */
    readonly user: string;
    readonly tty: boolean;
  };
  readonly resources: Resources;
  /** Mounted writable, on top of the root filesystem; no device file and no set-user-id program works there. */
  readonly mounts: readonly LaunchMount[];
  /** File that the monitor appends the process's output to, in the CRI log format. */
  readonly logPath: string;
}

export interface Launched {
  /** When the process began, epoch milliseconds: the same on every call for the same start. */
  readonly startedAtMs: number;
  /** Its pid on the host; 0 when it has ended already. */
  readonly pid: number;
}

/** One container as the kernel and the runtime's own records show it, for reconciliation (F21). */
export interface RuntimeContainer {
  readonly machineId: string;
  readonly startId: string;
  /** `created`: laid out, its process not begun. `stopped`: ended, or lost without an exit code. */
  readonly state: "created" | "running" | "stopped";
  /** 0 unless it runs. */
  readonly pid: number;
}

export type ExitListener = (machineId: string, startId: string, exit: MachineExit) => void;

/** The exit code of a process whose monitor was killed with it: nobody was left to see how it ended. */
export const EXIT_CODE_UNKNOWN = -1;

/**
 * Runs machines' processes in containers that outlive us (I5). A container is known by machine id and start id, and a
 * process by its pid together with its start time, never by name or pid alone (F21).
 */
export abstract class ContainerRuntime {
  /**
   * Makes a start's container, so that its launch has nothing left to do but let the process go. It only spares time:
   * what stands ready may be gone before the launch, or be of another spec, and is made anew then. Throws as `launch`.
   */
  abstract makeReady(spec: LaunchSpec, signal: AbortSignal): Promise<void>;

  /**
   * Starts the process, once per start id: called again, also after a crash at any instruction, it finds what the
   * first call did and resolves to the same. A process that ended meanwhile counts as started; `exitOf` has its end.
   * Throws `TerminalError` ("launch_failed") when this process can never run: no such program, user or folder.
   */
  abstract launch(spec: LaunchSpec, signal: AbortSignal): Promise<Launched>;

  /** Signals the process as part of a stop: its exit will say `requested_stop`. Nothing happens when it has ended. */
  abstract sendSignal(machineId: string, startId: string, signalName: string): Promise<void>;

  /**
   * Resolves when the process has ended; kills it after `timeoutMs`. Throws `RetryAfterError` ("not_dying") when
   * even the kill does not end it (uninterruptible I/O). Of a start that never ran, the exit code is unknown.
   */
  abstract awaitExit(
    machineId: string,
    startId: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<MachineExit>;

  /** How the process ended, also when nobody watched; undefined while it runs and when it never did. */
  abstract exitOf(machineId: string, startId: string): Promise<MachineExit | undefined>;

  /**
   * Tells of every exit from now on, and of every exit on record: a listener may hear of one twice. Returns what
   * ends it.
   */
  abstract onExit(listener: ExitListener): () => void;

  /** Whether that start is on record: as long as it is, its end is known, or will be told. */
  abstract knows(machineId: string, startId: string): Promise<boolean>;

  /**
   * Runs a program beside the process of a start, as the same user and in the same surroundings. Resolves once it runs.
   * Throws `TerminalError`: "wrong_state" when the start does not run, "launch_failed" when there is no such program. It
   * ends with the container; what an earlier agent ran so is killed by the next.
   */
  abstract exec(
    machineId: string,
    startId: string,
    spec: ExecSpec,
    signal: AbortSignal,
  ): Promise<ExecProcess>;

  /** Everything of this host that the runtime has, in any state. */
  abstract list(): Promise<RuntimeContainer[]>;

  /** Kills and forgets the machine's containers, save that of one start. Idempotent. */
  abstract removeContainers(machineId: string, exceptStartId?: string): Promise<void>;
}
