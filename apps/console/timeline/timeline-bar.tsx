import { Histogram } from "./histogram.tsx";
import classes from "./timeline-bar.module.css";
import { Transport } from "./transport.tsx";
import { useAlmanac, useRange } from "./use-range.ts";

/** All of history: how to move through it, and where one is. */
export function TimelineBar() {
  const { extent } = useAlmanac();
  const shown = useRange();
  return (
    <section className={classes.bar} aria-label="Timeline">
      <Transport />
      {shown === undefined ? (
        <div className={classes.empty}>
          {extent === undefined ? "Reading history…" : "Nothing has happened yet."}
        </div>
      ) : (
        <Histogram {...shown} />
      )}
    </section>
  );
}
