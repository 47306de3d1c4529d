import type { ControlKind } from "#contracts";
import { subjects } from "#contracts";
import {
  type ClaimMachineName,
  type ControlCommand,
  type ControlState,
  controlSubjectOf,
  decideControl,
  describeControl,
  emptyControl,
  evolveControl,
  type GoneHolder,
} from "#control";
import { type CommandMeta, ControlLog, type ControlLogSettings, ControlUnavailableError } from "#event-log";
import { type Position, RefusedError, refusal } from "#kernel";

/** What became of a command that was not refused. */
export interface Controlled {
  /** Includes the event, when there is one. */
  readonly position: Position;
  /** The aggregate afterwards. */
  readonly state: ControlState;
}

/** A name, and the machine that wants it. */
export type NameClaim = Omit<ClaimMachineName, "type" | "goneHolder">;

/** Of a machine: "unknown" is one that nobody has, and that may still be made. */
export type Presence = "there" | "gone" | "unknown";

const FOLD = { empty: emptyControl, evolve: evolveControl };
/** Of a name that changes hands all the time. */
const MAX_HOLDERS = 5;

/** Decides and appends to CONTROL, one aggregate at a time. Refusals are thrown as `RefusedError`. */
export class ControlCommands {
  readonly #log: ControlLog<ControlState>;

  constructor(
    nc: ConstructorParameters<typeof ControlLog>[0],
    settings: Omit<ControlLogSettings<ControlState>, "fold">,
  ) {
    this.#log = new ControlLog(nc, { ...settings, fold: FOLD });
  }

  /** Decides against the aggregate as it stands. Refused `unreachable` when the hub does not answer. */
  async execute(command: ControlCommand, meta: CommandMeta): Promise<Controlled> {
    const subject = controlSubjectOf(command);
    let state = emptyControl();
    const decide = (current: ControlState) => {
      state = current;
      return decideControl(command, current);
    };
    const recorded = await orUnreachable(() =>
      this.#log.transact(subject, decide, meta, describeControl(command)),
    );
    if (recorded.kind === "refused") throw new RefusedError(recorded.refusal);
    if (recorded.kind === "accepted") state = evolveControl(state, recorded.event);
    return { position: recorded.position, state };
  }

  /** Takes a machine name; `presenceOf` says what became of the machine that holds it now. */
  async claimName(
    claim: NameClaim,
    presenceOf: (machineId: string) => Promise<Presence>,
    meta: CommandMeta,
  ): Promise<Controlled> {
    let gone: GoneHolder | undefined;
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.execute(
          { type: "ClaimMachineName", ...claim, ...(gone && { goneHolder: gone }) },
          meta,
        );
      } catch (thrown) {
        const holder = holderOf(thrown);
        if (holder === undefined || holder === gone?.machineId || tries === MAX_HOLDERS) throw thrown;
        const presence = await presenceOf(holder);
        if (presence === "there") throw thrown;
        gone = { machineId: holder, isCertain: presence === "gone" };
      }
    }
  }

  /** One aggregate, read from CONTROL itself. */
  async load(kind: ControlKind, name: string): Promise<ControlState> {
    return orUnreachable(async () => (await this.#log.load(subjects.control(kind, name))).state);
  }
}

/** The machine that a refusal names as the holder of a name. */
function holderOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof RefusedError) || thrown.refusal.code !== "name_taken") return undefined;
  const { machineId } = thrown.refusal.details ?? {};
  return typeof machineId === "string" ? machineId : undefined;
}

async function orUnreachable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    if (!(thrown instanceof ControlUnavailableError)) throw thrown;
    const message = "the hub does not answer: running machines go on; try again when it is back";
    throw new RefusedError(refusal("unreachable", message, { retryAfterMs: 1_000 }));
  }
}
