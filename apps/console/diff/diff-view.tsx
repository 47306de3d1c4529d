import { Checkbox } from "@mantine/core";
import { useState } from "react";
import { ExportButton } from "../card/export-button.tsx";
import { clockText, durationText } from "../history/moment.ts";
import { useAnswer } from "../lists/use-answer.ts";
import { useThrottledPlayer } from "../lists/use-throttled.ts";
import { useLink, useSession } from "../session.ts";
import { DiffEntry } from "./diff-entry.tsx";
import classes from "./diff-view.module.css";

/** So few things are shown with all that is otherwise about them; of more things, those with no more than so many facts. */
const FEW = 3;
const MANY = 6;

/** What is otherwise at one mark than at the other; where one is missing, the moment shown takes its place. */
export function DiffView() {
  const { api } = useSession();
  const { a, b, selection } = useLink();
  const { moment, empty, playing } = useThrottledPlayer();
  const [isNarrow, setNarrow] = useState(false);
  const entity = isNarrow ? selection : undefined;
  const [from, to] = [a ?? moment, b ?? moment];
  const isAskable = !empty && !playing && (a !== undefined || b !== undefined);
  const key = isAskable ? `${from} ${to} ${entity ?? ""}` : undefined;
  const { value, problem, loading } = useAnswer(key, key, (signal) => api.diff(from, to, entity, signal));
  return (
    <section className={classes.view} aria-label="Differences">
      <div className={classes.head}>
        {value === undefined ? null : (
          <span>
            {clockText(value.from.atMs)} → {clockText(value.to.atMs)}{" "}
            <span className={classes.faint}>({durationText(Math.abs(value.to.atMs - value.from.atMs))})</span>
          </span>
        )}
        <Checkbox
          size="xs"
          label="only the selection"
          disabled={selection === undefined}
          checked={isNarrow}
          onChange={({ currentTarget }) => setNarrow(currentTarget.checked)}
        />
        <ExportButton
          wish={() => ({ ...(entity && { entity }), b: to })}
          shows={entity === undefined ? "the last event before B" : `how ${entity} came to be as it is at B`}
        />
      </div>
      {key === undefined ? (
        <p className={classes.note}>
          Mark a moment (keys a and b), then go to another one: what differs is told here.
        </p>
      ) : null}
      {value === undefined && key !== undefined ? (
        <p className={classes.note}>{loading ? "Comparing…" : problem}</p>
      ) : null}
      {value?.entities.length === 0 ? <p className={classes.note}>Nothing differs.</p> : null}
      <ol className={classes.list}>
        {value?.entities.map((each) => (
          <li key={`${each.entity.kind}/${each.entity.id}`}>
            <DiffEntry diff={each} isOpen={value.entities.length <= FEW || each.changes.length <= MANY} />
          </li>
        ))}
      </ol>
      {value?.truncated === true ? (
        <p className={classes.note}>There is more: compare closer moments.</p>
      ) : null}
    </section>
  );
}
