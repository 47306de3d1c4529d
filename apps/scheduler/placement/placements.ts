import { type OwnerGone, type Placeable, type Placement, placementOf } from "#control";
import type { ControlCommands } from "#fleet";
import { type Refusal, RefusedError, type Result } from "#kernel";
import type { Chosen } from "./choose-host.ts";
import { type Decided, type Deciding, idOf, wantedOf, wishOf } from "./deciding.ts";

/** Who owns what, of which epoch. */
export type Standing = Omit<Placement, "machineId">;

/** Machines' and volumes' owners in CONTROL, by compare-and-set. */
export class Placements {
  readonly #control: ControlCommands;

  constructor(control: ControlCommands) {
    this.#control = control;
  }

  /** The standing decision, read from CONTROL itself: a projection may be behind (I3). */
  async of(placed: Placeable): Promise<Standing | undefined> {
    const isVolume = "volumeId" in placed;
    const state = await (isVolume
      ? this.#control.load("volume", placed.volumeId)
      : this.#control.load("machine", placed.machineId));
    return placementOf(placed, state);
  }

  /** Makes a host the owner. Refused when somebody else decided meanwhile. */
  async decide(deciding: Deciding, { hostId, region, candidates }: Chosen): Promise<Result<Decided>> {
    const { request, epoch, meta } = deciding;
    const decided = { hostId, region, epoch };
    const { resources } = wantedOf(request);
    const seen = { ...seenOf(deciding), candidates, resources };
    const command = { type: "DecidePlacement", ...seen, ...decided } as const;
    return refusalAsValue(async () => {
      await this.#control.execute({ ...command, ...idOf(request) }, meta);
      return decided;
    });
  }

  /** Writes down that no host took it, with each host's own reason (F09). */
  async refuse(deciding: Deciding, reason: Refusal): Promise<Result<unknown>> {
    const { request, epoch, meta } = deciding;
    const error = { code: reason.code, message: reason.message.slice(0, 500) };
    const command = { type: "RefusePlacement", ...seenOf(deciding), epoch, error } as const;
    return refusalAsValue(() => this.#control.execute({ ...command, ...idOf(request) }, meta));
  }
}

/** What both decisions are made from. */
function seenOf({ request, refusals, ownerGone }: Deciding) {
  const gone: { ownerGone?: OwnerGone } = ownerGone === undefined ? {} : { ownerGone };
  return { appName: request.appName, wish: wishOf(request), refusals, ...gone };
}

async function refusalAsValue<T>(act: () => Promise<T>): Promise<Result<T>> {
  try {
    return { kind: "answer", answer: await act() };
  } catch (thrown) {
    if (thrown instanceof RefusedError) return { kind: "refused", refusal: thrown.refusal };
    throw thrown;
  }
}
