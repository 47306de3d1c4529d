import type { OwnerGone, Placement } from "#control";
import type { ControlCommands } from "#fleet";
import { type Refusal, RefusedError, type Result } from "#kernel";
import type { Chosen } from "./choose-host.ts";
import { type Decided, type Deciding, wishOf } from "./deciding.ts";

/** Machines' owners in CONTROL, by compare-and-set. */
export class Placements {
  readonly #control: ControlCommands;

  constructor(control: ControlCommands) {
    this.#control = control;
  }

  /** The standing decision, read from CONTROL itself: a projection may be behind (I3). */
  async of(machineId: string): Promise<Placement | undefined> {
    const state = await this.#control.load("machine", machineId);
    return state.placements.get(machineId);
  }

  /** Makes a host the owner. Refused when somebody else decided meanwhile. */
  async decide(deciding: Deciding, { hostId, region, candidates }: Chosen): Promise<Result<Decided>> {
    const { request, epoch, refusals, meta } = deciding;
    const { machineId, appName } = request;
    const wish = wishOf(request);
    const command = {
      type: "DecidePlacement",
      machineId,
      appName,
      region,
      hostId,
      epoch,
      wish,
      candidates,
      refusals,
    } as const;
    return refusalAsValue(async () => {
      await this.#control.execute({ ...command, ...goneOf(deciding) }, meta);
      return { hostId, region, epoch };
    });
  }

  /** Writes down that no host took the machine, with each host's own reason (F09). */
  async refuse(deciding: Deciding, reason: Refusal): Promise<Result<unknown>> {
    const { request, epoch, refusals, meta } = deciding;
    const { machineId, appName } = request;
    const error = { code: reason.code, message: reason.message.slice(0, 500) };
    const wish = wishOf(request);
    const command = { type: "RefusePlacement", machineId, appName, epoch, wish, refusals, error } as const;
    return refusalAsValue(() => this.#control.execute({ ...command, ...goneOf(deciding) }, meta));
  }
}

function goneOf({ ownerGone }: Deciding): { ownerGone?: OwnerGone } {
  return ownerGone === undefined ? {} : { ownerGone };
}

async function refusalAsValue<T>(act: () => Promise<T>): Promise<Result<T>> {
  try {
    return { kind: "answer", answer: await act() };
  } catch (thrown) {
    if (thrown instanceof RefusedError) return { kind: "refused", refusal: thrown.refusal };
    throw thrown;
  }
}
