import { type ControlEvent, VOCABULARY } from "#contracts";
import type { Decision } from "#kernel";
import type { ControlCommand } from "./command.ts";
import { decideControl } from "./decide.ts";
import { evolveControl } from "./evolve.ts";
import { emptyControl } from "./state.ts";
import { controlSubjectOf } from "./subject.ts";

/** What happened in CONTROL, told by commands. Every event is checked against its schema as it happens. */
export class ControlStory {
  readonly state = emptyControl();
  readonly events: { readonly subject: string; readonly event: ControlEvent }[] = [];

  tell(command: ControlCommand): Decision<ControlEvent> {
    const decision = decideControl(command, this.state);
    if (decision.kind !== "accepted") return decision;
    const { event } = decision;
    VOCABULARY.schemaOf(event.type)?.parse(event.data);
    this.events.push({ subject: controlSubjectOf(command), event });
    evolveControl(this.state, event);
    return decision;
  }
}
