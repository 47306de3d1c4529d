import { useEffect, useRef, useState } from "react";
import { momentOf } from "../history/moment.ts";
import { useThrottledPlayer } from "../lists/use-throttled.ts";
import { useVirtualRows } from "../lists/use-virtual-rows.ts";
import { useSession } from "../session.ts";
import classes from "./event-list.module.css";
import { EventRow } from "./event-row.tsx";

const ROW = 42;
/** Closer to the first step at hand than this many rows, older ones are fetched. */
const NEAR = 20;

/** The steps around the moment shown: those that have happened, and those to come. It follows the slider. */
export function EventList() {
  const session = useSession();
  const { player } = session;
  const { step: current, empty } = useThrottledPlayer();
  const { steps, cursor, moreBefore } = player.window;
  const { rows, reveal, scroller, sheet, place } = useVirtualRows(steps.length, ROW);
  const firstRow = rows[0] ?? 0;
  const anchor = useRef(steps[0]);
  const [, setFetched] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a moment that is shown anew has to be in view as well
  useEffect(() => reveal(Math.max(0, cursor - 1), true), [reveal, current, cursor, empty]);
  useEffect(() => {
    if (!moreBefore || firstRow > NEAR || cursor - firstRow < NEAR || anchor.current === steps[0]) return;
    anchor.current = steps[0];
    void player.fetchBefore().then(() => setFetched((count) => count + 1));
  }, [player, moreBefore, firstRow, cursor, steps]);

  return (
    <aside className={classes.list} aria-label="Events">
      <h2 className={classes.title}>
        Events <span>around the moment shown</span>
      </h2>
      <div {...scroller} className={classes.scroller} data-testid="events">
        <ol {...sheet} className={classes.sheet}>
          {rows.map((row) => {
            const step = steps[row]!;
            return (
              // By place in view, not by event: while playing, rows are written anew and not made anew.
              <li key={row % rows.length} style={place(row)}>
                <EventRow
                  step={step}
                  isCurrent={row === cursor - 1}
                  isToCome={row >= cursor}
                  onGo={() => session.goTo(momentOf(step), selectionOf(step.about))}
                />
              </li>
            );
          })}
        </ol>
        {steps.length === 0 && !empty ? <p className={classes.none}>No events here.</p> : null}
      </div>
    </aside>
  );
}

/** What an event is about, where there is a card of it. */
function selectionOf(about: readonly string[]): { readonly selection?: string } {
  const selection = about.find((entity) => /^(machine|host|volume|app)\//.test(entity));
  return selection === undefined ? {} : { selection };
}
