import { clockText, dayText } from "../history/moment.ts";
import { type PlayerSnapshot } from "../history/player-snapshot.ts";
import { usePlayer, useSession } from "../session.ts";
import classes from "./moment-readout.module.css";

/** The moment shown: time, event, and position. */
export function MomentReadout() {
  const { player } = useSession();
  const empty = usePlayer("empty");
  const atMs = usePlayer("atMs");
  const step = usePlayer("step");
  if (empty) return <span className={classes.faint}>…</span>;
  return (
    <div className={classes.readout}>
      <span className={classes.time} data-testid="moment">
        {clockText(atMs)}
      </span>
      <span className={classes.faint}>{dayText(atMs)}</span>
      <span className={classes.event} data-testid="moment-event">
        {step === undefined ? "before the first event" : step.type}
      </span>
      {step === undefined ? null : (
        <span
          className={classes.position}
          title={positionText(player.snapshot())}
          data-testid="moment-position"
        >
          {step.hostId ?? "control"} #{step.sequence}
        </span>
      )}
    </div>
  );
}

/** The whole vector, line by line. */
function positionText({ position }: PlayerSnapshot): string {
  return [...position].map(([log, sequence]) => `${log}:${sequence}`).join("\n");
}
