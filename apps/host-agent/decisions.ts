import type { HostLogEvent } from "#contracts";
import type { CommandMeta, Ledger, Recorded } from "#event-log";
import type { Host, HostCommand } from "#hosts";
import { type Clock, type Ids, outputOf, RefusedError, refusal } from "#kernel";
import type { Machine, MachineCommand } from "#machines";
import type { SnapshotCommand, VolumeCommand } from "#volumes";
import type { ClockWatch } from "./start/clock-watch.ts";

export type HostLedger = Ledger<HostCommand, Host, HostLogEvent>;

type Issued = "commandId" | "atMs";
type Unissued<C> = C extends unknown ? Omit<C, Issued> : never;
/** A host's own command, before it is given an id and the time. */
export type OwnCommand = Unissued<Exclude<HostCommand, { readonly command: unknown }>>;
/** A machine command, likewise; `origin` says who asked. */
export type OwnMachineCommand = Unissued<MachineCommand>;
export type OwnVolumeCommand = Unissued<VolumeCommand>;
export type OwnSnapshotCommand = Unissued<SnapshotCommand>;
/** What became of a step: the same for whatever its operation is of. */
export type StepReport = Omit<Extract<OwnVolumeCommand, { type: "RecordStep" }>, "type" | "origin">;

/** A snapshot, by itself and by what it is of. */
export interface SnapshotOf {
  readonly volumeId: string;
  readonly snapshotId: string;
}

/** What led the agent to a command of its own. `commandId`: the command's, where it has one already. */
export interface Cause {
  readonly causationId: string;
  readonly correlationId: string;
  readonly commandId?: string;
}

/** Hands commands to the ledger with the inputs that a decision takes as data: an id, the time, who asked and why. */
export class Decisions {
  readonly #ledger: HostLedger;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #actor: string;
  readonly #clockWatch: ClockWatch;

  constructor(ledger: HostLedger, clock: Clock, ids: Ids, hostId: string, clockWatch: ClockWatch) {
    this.#ledger = ledger;
    this.#clockWatch = clockWatch;
    this.#clock = clock;
    this.#ids = ids;
    this.#actor = `host:${hostId}`;
  }

  /** The host as everything decided so far makes it, acknowledged or not. */
  get host(): Host {
    return this.#ledger.state;
  }

  machine(machineId: string): Machine | undefined {
    return this.host.machines.get(machineId);
  }

  /** Digests of the images that some machine runs from, or may go back to. */
  imagesInUse(): Set<string> {
    const digests = new Set<string>();
    for (const { imageDigest, beforeUpdate, operation } of this.host.machines.values()) {
      const pulled = operation && outputOf(operation, "pull-image")?.digest;
      for (const digest of [imageDigest, beforeUpdate?.imageDigest, pulled]) {
        if (typeof digest === "string") digests.add(digest);
      }
    }
    return digests;
  }

  /** A caller's command to the host. Its id makes it idempotent. */
  async asked(command: OwnCommand, meta: CommandMeta): Promise<Recorded<HostLogEvent>> {
    this.#check(meta);
    return this.#execute({ ...command, ...this.#issue(meta.commandId) }, meta);
  }

  /** A caller's command to one machine. */
  async askedOf(
    machineId: string,
    command: OwnMachineCommand,
    meta: CommandMeta,
  ): Promise<Recorded<HostLogEvent>> {
    this.#check(meta);
    const { commandId, correlationId } = meta;
    const belongs = correlationId === commandId ? {} : { correlationId };
    return this.#execute(this.#forMachine(machineId, { ...command, ...belongs }, commandId), meta);
  }

  /** A caller's command to one volume. */
  async askedOfVolume(
    volumeId: string,
    command: OwnVolumeCommand,
    meta: CommandMeta,
  ): Promise<Recorded<HostLogEvent>> {
    this.#check(meta);
    return this.#execute(this.#forVolume(volumeId, command, meta.commandId), meta);
  }

  /** A caller's command to one snapshot. */
  async askedOfSnapshot(
    of: SnapshotOf,
    command: OwnSnapshotCommand,
    meta: CommandMeta,
  ): Promise<Recorded<HostLogEvent>> {
    this.#check(meta);
    return this.#execute(this.#forSnapshot(of, command, meta.commandId), meta);
  }

  /** The agent's own command to the host. */
  own(command: OwnCommand, cause?: Cause): Promise<Recorded<HostLogEvent>> {
    const meta = this.#metaOf(cause);
    return this.#execute({ ...command, ...this.#issue(meta.commandId) }, meta);
  }

  /** The agent's own command to one machine. */
  ownOf(machineId: string, command: OwnMachineCommand, cause?: Cause): Promise<Recorded<HostLogEvent>> {
    const meta = this.#metaOf(cause);
    return this.#execute(this.#forMachine(machineId, command, meta.commandId), meta);
  }

  /** What became of a step of the operation of a machine, a volume or a snapshot. */
  recordStep(subjectId: string, report: StepReport, cause: Cause): Promise<Recorded<HostLogEvent>> {
    const meta = this.#metaOf(cause);
    const command = { type: "RecordStep", origin: "operation", ...report } as const;
    const snapshot = this.host.snapshots.get(subjectId);
    if (snapshot !== undefined) {
      const of = { volumeId: snapshot.volumeId, snapshotId: subjectId };
      return this.#execute(this.#forSnapshot(of, command, meta.commandId), meta);
    }
    const isVolume = this.host.volumes.has(subjectId);
    const toSubject = isVolume
      ? this.#forVolume(subjectId, command, meta.commandId)
      : this.#forMachine(subjectId, command, meta.commandId);
    return this.#execute(toSubject, meta);
  }

  #check({ commandId, clock }: CommandMeta): void {
    this.#clockWatch.note(clock, "a caller");
    if (OPERATION_ID.test(commandId)) return;
    throw new RefusedError(refusal("invalid", "a command id is a ULID: mint one per command"));
  }

  #execute(command: HostCommand, meta: CommandMeta): Promise<Recorded<HostLogEvent>> {
    return this.#ledger.execute(command, meta);
  }

  #forMachine(machineId: string, command: OwnMachineCommand, commandId: string): HostCommand {
    const issued = this.#issue(commandId);
    return { type: "Machine", machineId, ...issued, command: { ...command, ...issued } };
  }

  #forVolume(volumeId: string, command: OwnVolumeCommand, commandId: string): HostCommand {
    const issued = this.#issue(commandId);
    return { type: "Volume", volumeId, ...issued, command: { ...command, ...issued } };
  }

  #forSnapshot(of: SnapshotOf, command: OwnSnapshotCommand, commandId: string): HostCommand {
    const issued = this.#issue(commandId);
    return { type: "Snapshot", ...of, ...issued, command: { ...command, ...issued } };
  }

  #issue(commandId: string): { readonly commandId: string; readonly atMs: number } {
    return { commandId, atMs: this.#clock.nowMs() };
  }

  #metaOf(cause: Cause | undefined): CommandMeta {
    const commandId = cause?.commandId ?? this.#ids.ulid();
    return {
      commandId,
      causationId: cause?.causationId ?? commandId,
      correlationId: cause?.correlationId ?? commandId,
      actor: this.#actor,
    };
  }
}

/** A command's id becomes its operation's, and a part of names in the kernel. */
const OPERATION_ID = /^[A-Za-z0-9_-]{1,40}$/;
