import { durationText } from "../history/moment.ts";
import { useSession } from "../session.ts";
import type { Bar } from "./cause-rows.ts";
import classes from "./waterfall.module.css";

const LINE = 20;
const LABEL = 118;

/** Operations and their steps against time. A click goes to the event of a bar. */
export function Waterfall({ bars }: { readonly bars: readonly Bar[] }) {
  const session = useSession();
  const from = Math.min(...bars.map(({ fromMs }) => fromMs));
  const to = Math.max(...bars.map(({ fromMs, durationMs }) => fromMs + durationMs), from + 1);
  const share = (ms: number) => `${(100 * ms) / (to - from)}%`;
  return (
    <ol className={classes.waterfall}>
      {bars.map((bar) => (
        <li key={`${bar.title} ${bar.fromMs} ${bar.depth}`} style={{ height: LINE }}>
          <button
            type="button"
            disabled={bar.eventId === undefined}
            title={`${bar.title}: ${durationText(bar.durationMs)}`}
            onClick={() => bar.eventId !== undefined && session.goTo(bar.eventId)}
          >
            <span className={classes.label} style={{ width: LABEL, paddingInlineStart: bar.depth * 8 }}>
              {bar.title}
            </span>
            <span className={classes.track}>
              <span
                className={classes.bar}
                data-kind={bar.kind}
                style={{ left: share(bar.fromMs - from), width: share(bar.durationMs) }}
              />
            </span>
            <span className={classes.length}>{durationText(bar.durationMs)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
