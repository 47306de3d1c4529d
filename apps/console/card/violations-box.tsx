import { clockText } from "../history/moment.ts";
import { useAlmanac } from "../timeline/use-range.ts";
import { ViolationLine } from "./violation-line.tsx";
import classes from "./violations-box.module.css";

const MOST = 100;

/** What broke an invariant, in all of history; of one thing where `entity` is given, and nothing where it broke none. */
export function ViolationsBox({ entity }: { readonly entity?: string }) {
  const { violations: all, checked, checkedToMs } = useAlmanac();
  const violations = all.filter(
    (each) => entity === undefined || entity === `${each.entity.kind}/${each.entity.id}`,
  );
  if (violations.length === 0) {
    return entity === undefined ? <p>{noneText(checked, checkedToMs)}</p> : null;
  }
  return (
    <div className={classes.box} data-inset={entity !== undefined || undefined}>
      <h3 className={classes.title}>Invariants that were broken</h3>
      <ul className={classes.list}>
        {violations.slice(0, MOST).map((each) => (
          <li key={`${each.invariant} ${each.entity.id} ${each.event.id}`}>
            <ViolationLine violation={each} />
          </li>
        ))}
      </ul>
      {violations.length > MOST ? <p>and {violations.length - MOST} more</p> : null}
    </div>
  );
}

function noneText(checked: boolean, checkedToMs: number): string {
  if (checked) return "No invariant was ever broken.";
  if (checkedToMs === 0) return "Invariants have not been checked yet.";
  return `No invariant was broken up to ${clockText(checkedToMs)}; checking goes on.`;
}
