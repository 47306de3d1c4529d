export type { AppRecord, CreateApp, DeleteApp } from "./app.ts";
export type { ControlCommand } from "./command.ts";
export { decideControl, placementOf } from "./decide.ts";
export { describeControl } from "./describe.ts";
export type { ReportDrift } from "./drift.ts";
export { evolveControl } from "./evolve.ts";
export type { HostRegistration, RegisterHost } from "./host-registration.ts";
export type { ClaimHostname, HostnameHolder, ReleaseHostname } from "./hostname.ts";
export {
  type ClaimIdempotencyKey,
  IDEMPOTENCY_KEY_TTL_MS,
  type IdempotencyKey,
  standingClaim,
} from "./idempotency-key.ts";
export {
  type ClaimMachineName,
  type GoneHolder,
  NAME_GRACE_MS,
  type NameHolder,
  nameKey,
} from "./machine-name.ts";
export type {
  DecidePlacement,
  OwnerGone,
  Placeable,
  Placement,
  PlacementWish,
  RankedHost,
  RefusePlacement,
} from "./placement.ts";
export {
  AS_GOOD_AS_THE_BEST,
  type Bid,
  type BidAnswer,
  type Candidate,
  type DrawnBid,
  rank,
  rankDrawn,
  type Sought,
} from "./rank.ts";
export {
  CONTROL_FOLD_VERSION,
  type ControlState,
  controlFromJson,
  controlToJson,
  emptyControl,
} from "./state.ts";
export { controlSubjectOf } from "./subject.ts";
export { type CreateToken, type RevokeToken, refuseToken, type Token } from "./token.ts";
export type { VolumePlacement } from "./volume-placement.ts";
