import type { ReplayExplanation } from "#contracts";
import type { Answer } from "../lists/use-answer.ts";
import { CausalGraph } from "./causal-graph.tsx";
import { barsOf } from "./cause-rows.ts";
import { Waterfall } from "./waterfall.tsx";
import classes from "./why-panel.module.css";

interface WhyPanelProps {
  readonly answer: Answer<ReplayExplanation>;
  readonly isPlaying: boolean;
}

/** Why it is as it is: one sentence, where its time went, and what led to what. */
export function WhyPanel({ answer: { value, problem, loading }, isPlaying }: WhyPanelProps) {
  if (isPlaying && value === undefined) return <p className={classes.note}>Pause to ask why.</p>;
  if (value === undefined) return <p className={classes.note}>{loading ? "Asking…" : (problem ?? "")}</p>;
  const bars = barsOf(value.causes);
  return (
    <div className={classes.panel} data-stale={loading || isPlaying || undefined}>
      <p className={classes.headline}>{value.headline}</p>
      {bars.length === 0 ? null : (
        <>
          <h3>Where the time went</h3>
          <Waterfall bars={bars} />
        </>
      )}
      <h3>What led to what</h3>
      <CausalGraph causes={value.causes} />
    </div>
  );
}
