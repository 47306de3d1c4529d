import {
  type AnyEvent,
  type ControlEvent,
  controlEvents,
  type HostLogEvent,
  type RecordedEvent,
} from "#contracts";
import type { ControlCommand } from "#control";
import { emptyHost, type HostCommand } from "#hosts";
import { canonicalJson, type Decision } from "#kernel";
import type { World } from "#timeline";
import type { Instead } from "../whatif/divergence.ts";
import { controlCommandOf } from "./control-command.ts";
import { type Deciders, PRESENT_DECIDERS } from "./deciders.ts";
import { hostCommandOf } from "./host-command.ts";
import { isNotReplayable, type NotReplayable } from "./not-replayable.ts";
import { rerank } from "./rerank.ts";

/** What became of deciding again what was decided once. */
export type Redecided =
  | { readonly kind: "same"; readonly command: HostCommand | ControlCommand }
  | {
      readonly kind: "differs";
      readonly command: HostCommand | ControlCommand;
      readonly instead: Instead;
      /** What would be written down now; undefined for nothing. */
      readonly event?: AnyEvent;
    }
  | NotReplayable;

/**
 * Decides again what an event was decided from, on the world before it. `world` is not changed. Of a placement, hosts are
 * ranked again, too: it is the same as long as the same one comes first.
 */
export function redecide(
  event: RecordedEvent,
  world: World,
  deciders: Deciders = PRESENT_DECIDERS,
): Redecided {
  try {
    return isOfControl(event)
      ? redecideControl(event, world, deciders)
      : redecideHost(event as RecordedEvent<HostLogEvent>, world, deciders);
  } catch (thrown) {
    const command = event.decision as unknown as HostCommand;
    return { kind: "differs", command, instead: { kind: "threw", message: String(thrown).slice(0, 500) } };
  }
}

function redecideHost(
  event: RecordedEvent<HostLogEvent>,
  { view }: World,
  { decideHost }: Deciders,
): Redecided {
  const command = hostCommandOf(event);
  if (isNotReplayable(command)) return command;
  return compared(event, command, decideHost(command, view.logs.get(event.log)?.host ?? emptyHost()));
}

function redecideControl(event: RecordedEvent<ControlEvent>, world: World, deciders: Deciders): Redecided {
  const command = controlCommandOf(event);
  if (isNotReplayable(command)) return command;
  if (command.type === "DecidePlacement") {
    const order = rerank(command, world, deciders.rank);
    const [first] = order ?? [];
    if (order !== undefined && first !== undefined && first.hostId !== command.hostId) {
      const { hostId } = first;
      const otherwise = { ...command, hostId, candidates: order };
      const decided = deciders.decideControl(otherwise, world.view.control);
      const ranked = order.map(({ hostId, score }) => ({ hostId, score }));
      return {
        ...{ kind: "differs", command, instead: { kind: "other-host", hostId, order: ranked } },
        ...(decided.kind === "accepted" ? { event: decided.event } : {}),
      };
    }
  }
  return compared(event, command, deciders.decideControl(command, world.view.control));
}

function compared(
  recorded: RecordedEvent,
  command: HostCommand | ControlCommand,
  decision: Decision<AnyEvent>,
): Redecided {
  if (decision.kind === "refused") {
    return { kind: "differs", command, instead: { kind: "refused", refusal: decision.refusal } };
  }
  if (decision.kind === "unchanged") return { kind: "differs", command, instead: { kind: "unchanged" } };
  const { event } = decision;
  const isSame = event.type === recorded.type && canonicalJson(event.data) === canonicalJson(recorded.data);
  return isSame
    ? { kind: "same", command }
    : { kind: "differs", command, instead: { kind: "event", event }, event };
}

function isOfControl(event: RecordedEvent): event is RecordedEvent<ControlEvent> {
  return event.type in controlEvents;
}
