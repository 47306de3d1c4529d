import { clockText } from "../history/moment.ts";
import { useSession } from "../session.ts";
import { useAlmanac } from "../timeline/use-range.ts";
import classes from "./violations-box.module.css";

const MOST = 100;

/** What broke an invariant, in all of history. */
export function ViolationsBox() {
  const session = useSession();
  const { violations, checked, checkedToMs } = useAlmanac();
  if (violations.length === 0) {
    return (
      <p>
        {checked
          ? "No invariant was ever broken."
          : checkedToMs === 0
            ? "Invariants have not been checked yet."
            : `No invariant was broken up to ${clockText(checkedToMs)}; checking goes on.`}
      </p>
    );
  }
  return (
    <>
      <h3 className={classes.title}>Invariants that were broken</h3>
      <ul className={classes.list}>
        {violations.slice(0, MOST).map(({ invariant, entity, message, event, healedBy }) => (
          <li key={`${invariant} ${entity.id} ${event.id}`}>
            <button
              type="button"
              onClick={() => session.goTo(event.id, { selection: `${entity.kind}/${entity.id}` })}
            >
              <b>{invariant}</b>
              <time>{clockText(event.atMs)}</time>
              <span>{message}</span>
              {healedBy === undefined ? null : <i>healed at {clockText(healedBy.atMs)}</i>}
            </button>
          </li>
        ))}
      </ul>
      {violations.length > MOST ? <p>and {violations.length - MOST} more</p> : null}
    </>
  );
}
