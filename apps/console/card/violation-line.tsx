import type { ReplayViolation } from "#contracts";
import { clockText } from "../history/moment.ts";
import { useSession } from "../session.ts";
import { ExportButton } from "./export-button.tsx";
import classes from "./violations-box.module.css";

/** One invariant that was broken: leads to the event that broke it, and to a test that fails for it. */
export function ViolationLine({ violation }: { readonly violation: ReplayViolation }) {
  const session = useSession();
  const { invariant, entity, message, event, healedBy } = violation;
  const selection = `${entity.kind}/${entity.id}`;
  return (
    <>
      <button type="button" onClick={() => session.goTo(event.id, { selection })}>
        <b>{invariant}</b>
        <time>{clockText(event.atMs)}</time>
        <span>{message}</span>
      </button>
      <div className={classes.foot}>
        <i>{healedBy === undefined ? "not healed" : `healed at ${clockText(healedBy.atMs)}`}</i>
        <ExportButton
          wish={() => ({ violation: { invariant, eventId: event.id, entity: selection } })}
          shows={`how ${invariant} was broken`}
        />
      </div>
    </>
  );
}
