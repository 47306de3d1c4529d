import type { ControlEvent, Resources } from "#contracts";
import { accepted, type Decision, refusal, refused, type StepError, UNCHANGED } from "#kernel";
import type { VolumePlacement } from "./volume-placement.ts";

/** Which host owns a machine. Ownership moves by compare-and-set here and nowhere else. */
export interface Placement {
  readonly machineId: string;
  readonly appName: string;
  /** Grows with each decision; messages of an earlier one are fenced by it (F30). */
  readonly epoch: number;
  readonly region?: string;
  /** Absent when no host took the machine in this epoch. */
  readonly hostId?: string;
  /** Why not: a refusal's code. */
  readonly refusedAs?: string;
}

/** Whose place it is: a machine's, or a volume's. Their ids never meet. */
export type Placeable = { readonly machineId: string } | { readonly volumeId: string };

/** What was asked of a place, defaults filled in. */
export interface PlacementWish {
  /** As asked for, the preferred one first: "ams,fra". */
  readonly regions: string;
  readonly policy: "spread" | "pack";
  readonly antiAffinity: "none" | "soft" | "hard";
  readonly features: readonly string[];
}

/** A host that would have taken it, how it was ranked, and the bid that it was ranked by. */
export interface RankedHost {
  readonly hostId: string;
  readonly score: number;
  readonly random: number;
  readonly bid?: {
    readonly free: Resources;
    readonly capacity: Resources;
    readonly machineCount: number;
    readonly appMachineCount: number;
  };
}

interface HostRefusal {
  readonly hostId: string;
  readonly code: string;
  readonly message: string;
}

/**
 * Why the standing owner does not have it and never will in that epoch: it answered the commit with a typed
 * refusal, or it is gone for good. Silence is neither.
 */
export interface OwnerGone {
  readonly kind: "refused" | "absent";
  readonly hostId: string;
  readonly epoch: number;
}

type Deciding = Placeable & {
  readonly appName: string;
  readonly epoch: number;
  readonly wish?: PlacementWish;
  readonly refusals: readonly HostRefusal[];
  /** Needed to decide anew while a host owns it. */
  readonly ownerGone?: OwnerGone;
};

export type DecidePlacement = Deciding & {
  readonly type: "DecidePlacement";
  readonly hostId: string;
  readonly region: string;
  readonly candidates: readonly RankedHost[];
  /** What the ranking sought. It decides nothing here, and is kept so that the ranking can be made again. */
  readonly resources?: Resources;
};

export type RefusePlacement = Deciding & { readonly type: "RefusePlacement"; readonly error: StepError };

type Standing = Placement | VolumePlacement | undefined;

/** Makes a host the owner in the next epoch. Decided before the commit: what is made has one owner before it exists (I2). */
export function decidePlacement(command: DecidePlacement, standing: Standing): Decision<ControlEvent> {
  if (standing?.epoch === command.epoch && standing.hostId === command.hostId) return UNCHANGED;
  const reason = refuseEpoch(command, standing);
  if (reason !== undefined) return reason;
  const { appName, epoch, hostId, region, wish, candidates, refusals } = command;
  const seen = { ...wishOf(wish), candidates: [...candidates], refusals: [...refusals] };
  const decided = { appName, hostId, epoch, region, ...seen };
  return accepted(
    "volumeId" in command
      ? { type: "VolumePlacementDecided", data: { volumeId: command.volumeId, ...decided } }
      : { type: "PlacementDecided", data: { machineId: command.machineId, ...decided } },
  );
}

/** Writes down that no host took it; whoever owned it before does not any more. Once, however often it is tried (F04). */
export function decideRefusePlacement(command: RefusePlacement, standing: Standing): Decision<ControlEvent> {
  if (standing?.epoch === command.epoch && standing.hostId === undefined) return UNCHANGED;
  const reason = refuseEpoch(command, standing);
  if (reason !== undefined) return reason;
  if (standing?.refusedAs === command.error.code) return UNCHANGED;
  const { appName, epoch, wish, error } = command;
  const refusedBy = { appName, epoch, ...wishOf(wish), error, refusals: [...command.refusals] };
  return accepted(
    "volumeId" in command
      ? { type: "VolumePlacementRefused", data: { volumeId: command.volumeId, ...refusedBy } }
      : { type: "PlacementRefused", data: { machineId: command.machineId, ...refusedBy } },
  );
}

function wishOf(wish: PlacementWish | undefined) {
  return wish === undefined ? {} : { wish: { ...wish, features: [...wish.features] } };
}

function refuseEpoch(command: Deciding, standing: Standing): Decision<ControlEvent> | undefined {
  const what = "volumeId" in command ? `volume ${command.volumeId}` : `machine ${command.machineId}`;
  const next = (standing?.epoch ?? 0) + 1;
  const details = { epoch: next - 1, ...(standing?.hostId === undefined ? {} : { hostId: standing.hostId }) };
  if (command.epoch !== next) {
    const message = `${what} is in epoch ${next - 1}: ${command.epoch} does not follow it`;
    return refused(refusal("stale_epoch", message, { details }));
  }
  if (standing?.hostId === undefined) return undefined;
  const gone = command.ownerGone;
  if (gone?.hostId === standing.hostId && gone.epoch === standing.epoch) return undefined;
  const message = `${what} belongs to host ${standing.hostId}, which has not given it up`;
  return refused(refusal("busy", message, { details }));
}
