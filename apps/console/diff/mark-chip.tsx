import { Tooltip } from "@mantine/core";
import { clockText, dayText, whenOf } from "../history/moment.ts";
import { Icon } from "../parts/icon.tsx";
import { useLink, useSession } from "../session.ts";
import classes from "./mark-chip.module.css";
import { markNow } from "./marks.ts";

/** One of the two marks: sets it here, goes there, forgets it. */
export function MarkChip({ mark }: { readonly mark: "a" | "b" }) {
  const session = useSession();
  const moment = useLink()[mark];
  const letter = mark.toUpperCase();
  if (moment === undefined) {
    return (
      <Tooltip label={`Mark this moment as ${letter} (${mark})`}>
        <button type="button" className={classes.unset} onClick={() => markNow(session, mark)}>
          Mark {letter}
        </button>
      </Tooltip>
    );
  }
  const atMs = whenOf(moment);
  return (
    <span className={classes.chip} data-mark={mark}>
      <button
        type="button"
        title={atMs === undefined ? moment : `${dayText(atMs)} ${clockText(atMs)}`}
        onClick={() => session.goTo(moment)}
      >
        <b>{letter}</b> {atMs === undefined ? "marked" : clockText(atMs)}
      </button>
      <button
        type="button"
        aria-label={`Forget ${letter}`}
        onClick={() => session.link.push({ [mark]: undefined })}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}
