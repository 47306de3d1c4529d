import { hostnameToken, subjects } from "#contracts";
import { assertNever } from "#kernel";
import type { ControlCommand } from "./command.ts";

/**
 * The subject of the aggregate that a command is about. Its last sequence guards the append, and its events are all
 * that the decision needs.
 */
export function controlSubjectOf(command: ControlCommand): string {
  switch (command.type) {
    case "CreateApp":
    case "DeleteApp":
      return subjects.control("app", command.appName);
    case "ClaimMachineName":
      // Two pairs that meet in one subject share its sequence only: the fold keeps them apart.
      return subjects.control("name", `${command.appName}_${command.name}`);
    case "ClaimIdempotencyKey":
      return subjects.control("idempotency", command.keyHash);
    case "DecidePlacement":
    case "RefusePlacement":
      return "volumeId" in command
        ? subjects.control("volume", command.volumeId)
        : subjects.control("machine", command.machineId);
    case "RegisterHost":
      return subjects.control("host", command.hostId);
    case "CreateToken":
    case "RevokeToken":
      return subjects.control("token", command.tokenId);
    case "ClaimHostname":
    case "ReleaseHostname":
      return subjects.control("hostname", hostnameToken(command.hostname));
    case "ReportDrift":
      return subjects.control("drift", command.hostId);
    default:
      return assertNever(command);
  }
}
