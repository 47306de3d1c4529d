import type { ControlEvent, RecordedEvent } from "#contracts";
import type { ControlCommand } from "#control";
import { type NotReplayable, notReplayable } from "./not-replayable.ts";

const COMMANDS: Readonly<Record<ControlCommand["type"], true>> = {
  CreateApp: true,
  DeleteApp: true,
  ClaimMachineName: true,
  ClaimIdempotencyKey: true,
  DecidePlacement: true,
  RefusePlacement: true,
  RegisterHost: true,
  CreateToken: true,
  RevokeToken: true,
  ClaimHostname: true,
  ReleaseHostname: true,
  ReportDrift: true,
};

/** What `describeControl` leaves out, as the event holds it. */
const HELD = ["secretHash", "wish", "candidates", "refusals"] as const;

/** The command that an event of CONTROL was decided from. */
export function controlCommandOf(event: RecordedEvent<ControlEvent>): ControlCommand | NotReplayable {
  const { decision } = event;
  if (decision === undefined) return notReplayable("no decision was recorded with it");
  const { command: type } = decision;
  if (!Object.hasOwn(COMMANDS, type)) return notReplayable(`${type} is no command that this release knows`);
  const data: Readonly<Record<string, unknown>> = event.data;
  const held = HELD.filter((name) => data[name] !== undefined).map((name) => [name, data[name]]);
  return { ...decision.inputs, ...Object.fromEntries(held), type } as unknown as ControlCommand;
}
