import type { ReplayWaiting } from "#contracts";
import { clockText, durationText } from "../history/moment.ts";
import classes from "./stuck-box.module.css";

/** What takes no longer than this is on its way: no reason to worry anybody. */
const LATE_MS = 2_000;

/** What does not go on: what it waits for, since when, what would let it go on. `atMs`: the moment shown. */
export function StuckBox({
  waiting,
  atMs,
}: {
  readonly waiting: readonly ReplayWaiting[];
  readonly atMs: number;
}) {
  if (waiting.length === 0) return null;
  return (
    <div className={classes.box} role="note" aria-label="Stuck">
      {waiting.map(({ what, sinceMs, because, releasedBy }) => (
        <dl key={`${what} ${sinceMs}`} data-late={atMs - sinceMs > LATE_MS || undefined}>
          <dt>Waits</dt>
          <dd>
            <b>{what}</b>
          </dd>
          <dt>Since</dt>
          <dd>
            {clockText(sinceMs)}, for {durationText(Math.max(0, atMs - sinceMs))}
          </dd>
          <dt>Because</dt>
          <dd>{because}</dd>
          <dt>Released by</dt>
          <dd>{releasedBy}</dd>
        </dl>
      ))}
    </div>
  );
}
