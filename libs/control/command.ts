import type { CreateApp, DeleteApp } from "./app.ts";
import type { ReportDrift } from "./drift.ts";
import type { RegisterHost } from "./host-registration.ts";
import type { ClaimHostname, ReleaseHostname } from "./hostname.ts";
import type { ClaimIdempotencyKey } from "./idempotency-key.ts";
import type { ClaimMachineName } from "./machine-name.ts";
import type { DecidePlacement, RefusePlacement } from "./placement.ts";
import type { CreateToken, RevokeToken } from "./token.ts";

/** Everything that may change CONTROL. Facts about machines are handed in: CONTROL does not know them. */
export type ControlCommand =
  | CreateApp
  | DeleteApp
  | ClaimMachineName
  | ClaimIdempotencyKey
  | DecidePlacement
  | RefusePlacement
  | RegisterHost
  | CreateToken
  | RevokeToken
  | ClaimHostname
  | ReleaseHostname
  | ReportDrift;
