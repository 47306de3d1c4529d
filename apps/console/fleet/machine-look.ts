import { GONE, type LiveFacts, numberOf, textOf } from "../history/facts.ts";

/** How a state is drawn, besides its colour: shapes tell states apart for whoever does not see colours. */
export type Shape = "solid" | "ring" | "half" | "cross" | "bars" | "dot" | "dash";

export interface Look {
  readonly name: string;
  readonly colour: string;
  readonly shape: Shape;
}

/** Colours of Okabe and Ito's set, which differ for all kinds of sight. */
const LOOKS = {
  started: { name: "started", colour: "#009e73", shape: "solid" },
  coming: { name: "creating, starting", colour: "#56b4e9", shape: "half" },
  changing: { name: "updating, restarting", colour: "#0072b2", shape: "half" },
  going: { name: "stopping, destroying", colour: "#e69f00", shape: "half" },
  stopped: { name: "stopped", colour: "#8a949e", shape: "ring" },
  created: { name: "created, placed", colour: "#56b4e9", shape: "dot" },
  suspended: { name: "suspended", colour: "#cc79a7", shape: "bars" },
  failed: { name: "failed, crashed", colour: "#d55e00", shape: "cross" },
  gone: { name: "gone", colour: "#8a949e", shape: "dash" },
} as const satisfies Record<string, Look>;

export const LEGEND: readonly Look[] = Object.values(LOOKS).filter((look) => look !== LOOKS.gone);

const BY_STATE: Readonly<Record<string, Look>> = {
  started: LOOKS.started,
  creating: LOOKS.coming,
  starting: LOOKS.coming,
  restarting: LOOKS.changing,
  updating: LOOKS.changing,
  replacing: LOOKS.changing,
  stopping: LOOKS.going,
  suspending: LOOKS.going,
  destroying: LOOKS.going,
  stopped: LOOKS.stopped,
  created: LOOKS.created,
  placed: LOOKS.created,
  suspended: LOOKS.suspended,
  failed: LOOKS.failed,
  launch_failed: LOOKS.failed,
};

export function lookOf(facts: LiveFacts): Look {
  if (isCrashed(facts)) return LOOKS.failed;
  return BY_STATE[textOf(facts, "state")] ?? LOOKS.gone;
}

/** Its last process ended badly and nobody asked it to, or an operation failed for good; and it does not run again. */
export function isCrashed(facts: LiveFacts): boolean {
  const state = facts.state;
  if (state === "failed" || state === "launch_failed") return true;
  if (state === "started" || state === "destroyed" || facts["exit.requested_stop"] === true) return false;
  return facts["exit.oom_killed"] === true || numberOf(facts, "exit.exit_code") !== 0;
}

/** An operation of it does not get on: an attempt failed, and another one is due. */
export function isStuck(facts: LiveFacts): boolean {
  return facts["operation.error.code"] !== undefined || numberOf(facts, "operation.attempt") > 1;
}

/** What is left of it is to be remembered, and has no place any more. */
export function isGone(facts: LiveFacts): boolean {
  return GONE.has(textOf(facts, "state"));
}
