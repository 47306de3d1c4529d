import { clockText } from "../history/moment.ts";
import { usePlayer } from "../session.ts";
import classes from "./trouble-bar.module.css";

/** Says what does not answer, and since when. The last picture stays below. */
export function TroubleBar() {
  const trouble = usePlayer("trouble");
  const empty = usePlayer("empty");
  if (trouble === undefined) return null;
  const since = clockText(trouble.sinceMs).slice(0, 8);
  const text =
    trouble.kind === "away"
      ? `No answer from the API since ${since} (${trouble.message}). ${empty ? "Nothing can be shown yet." : "This is the last picture."} Asking again…`
      : trouble.message;
  return (
    <div role="alert" className={classes.bar}>
      {text}
    </div>
  );
}
