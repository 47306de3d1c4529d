import type { RequestTrace } from "#contracts";
import type { Moment } from "#fleet";
import { timelineOf } from "../fleets.fixture.ts";
import type { Cause, Explanation } from "./explanation.ts";
import { ToldFleet } from "./told-fleet.fixture.ts";
import { why } from "./why.ts";

export const NOW: Moment = { kind: "now" };
export const CREATE = "01AAAAAAAAAAAAAAAAAAAACREA";
export const LATE = "01AAAAAAAAAAAAAAAAAAAANEXT";
export const WAKE = "01AAAAAAAAAAAAAAAAAAAAWAKE";

interface Asked {
  readonly at?: Moment;
  readonly trace?: RequestTrace;
  /** How long after the last event it is asked. */
  readonly laterMs?: number;
}

export function ask(
  fleet: ToldFleet,
  id: string,
  { at = NOW, trace, laterMs = 0 }: Asked = {},
): Promise<Explanation> {
  const findTrace = async (requestId: string) => (requestId === trace?.requestId ? trace : undefined);
  return why(timelineOf(fleet.events()), { id }, at, findTrace, fleet.lastMs + laterMs);
}

/** The tree as lines, two spaces per level. */
export function lines(causes: readonly Cause[], depth = 0): string[] {
  return causes.flatMap(({ kind, title, children }) => [
    `${"  ".repeat(depth)}${kind} ${title}`,
    ...lines(children, depth + 1),
  ]);
}

export function oneMachine() {
  const fleet = new ToldFleet(1);
  for (const hostId of ["h1", "h2"]) fleet.join(hostId);
  let machineId = "";
  fleet.asks(CREATE, "token:ann", () => {
    machineId = fleet.create("h1");
  });
  fleet.rest("h1", machineId);
  return { fleet, machineId };
}

export function stopped() {
  const { fleet, machineId } = oneMachine();
  fleet.asks(CREATE, "token:ann", () =>
    fleet.command("h1", machineId, { type: "StopMachine", origin: "user" }),
  );
  fleet.rest("h1", machineId);
  fleet.clock.jump(10_000);
  return { fleet, machineId };
}

export function find(causes: readonly Cause[], kind: Cause["kind"]): Cause | undefined {
  for (const cause of causes) {
    const found = cause.kind === kind ? cause : find(cause.children, kind);
    if (found !== undefined) return found;
  }
  return undefined;
}
