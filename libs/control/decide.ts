import type { ControlEvent } from "#contracts";
import { assertNever, type Decision } from "#kernel";
import { decideCreateApp, decideDeleteApp } from "./app.ts";
import type { ControlCommand } from "./command.ts";
import { decideReportDrift } from "./drift.ts";
import { decideRegister } from "./host-registration.ts";
import { decideClaimHostname, decideReleaseHostname } from "./hostname.ts";
import { decideClaimKey } from "./idempotency-key.ts";
import { decideClaimName, nameKey } from "./machine-name.ts";
import { decidePlacement, decideRefusePlacement, type Placeable } from "./placement.ts";
import type { ControlState } from "./state.ts";
import { decideCreateToken, decideRevokeToken } from "./token.ts";

/** Decides a command against the aggregate that it is about. `state` has to hold that aggregate only. Pure. */
export function decideControl(command: ControlCommand, state: ControlState): Decision<ControlEvent> {
  switch (command.type) {
    case "CreateApp":
      return decideCreateApp(command, state.apps.get(command.appName));
    case "DeleteApp":
      return decideDeleteApp(command, state.apps.get(command.appName));
    case "ClaimMachineName":
      return decideClaimName(command, state.names.get(nameKey(command.appName, command.name)));
    case "ClaimIdempotencyKey":
      return decideClaimKey(command, state.idempotencyKeys.get(command.keyHash));
    case "DecidePlacement":
      return decidePlacement(command, placementOf(command, state));
    case "RefusePlacement":
      return decideRefusePlacement(command, placementOf(command, state));
    case "RegisterHost":
      return decideRegister(command, state.hosts.get(command.hostId));
    case "CreateToken":
      return decideCreateToken(command, state.tokens.get(command.tokenId));
    case "RevokeToken":
      return decideRevokeToken(command, state.tokens.get(command.tokenId));
    case "ClaimHostname":
      return decideClaimHostname(command, state.hostnames.get(command.hostname));
    case "ReleaseHostname":
      return decideReleaseHostname(command, state.hostnames.get(command.hostname));
    case "ReportDrift":
      return decideReportDrift(command);
    default:
      return assertNever(command);
  }
}

/** Where a machine or a volume was placed. */
export function placementOf(placed: Placeable, { placements, volumePlacements }: ControlState) {
  return "volumeId" in placed ? volumePlacements.get(placed.volumeId) : placements.get(placed.machineId);
}
