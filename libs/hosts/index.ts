export { privateIpOf } from "./address.ts";
export { type MachineWish, refuseAdmission, type VolumeWish, type Wanted } from "./admission.ts";
export { type Bid, type BidRequest, bidOf } from "./bid.ts";
export { promisedOf } from "./capacity.ts";
export type { HostCommand, HostCommandOf } from "./command.ts";
export { decideHost } from "./decide.ts";
export { describeHost } from "./describe.ts";
export { evolveHost, isMachineEvent, isVolumeEvent } from "./evolve.ts";
export { HostDomain, type HostIdentity, hostFold } from "./host-domain.ts";
export { type Claimant, claimantId, type Reservation } from "./reservation.ts";
export {
  type Cordon,
  emptyHost,
  HOST_FOLD_VERSION,
  type Host,
  hostFromJson,
  hostToJson,
  type RefusedCommit,
} from "./state.ts";
