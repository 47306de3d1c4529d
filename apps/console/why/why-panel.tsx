import { useMemo } from "react";
import type { ReplayExplanation } from "#contracts";
import type { Answer } from "../lists/use-answer.ts";
import { CausalGraph } from "./causal-graph.tsx";
import { worksOf } from "./cause-rows.ts";
import classes from "./why-panel.module.css";
import { Works } from "./works.tsx";

interface WhyPanelProps {
  readonly answer: Answer<ReplayExplanation>;
  readonly isPlaying: boolean;
}

/** Why it is as it is: one sentence, where its time went, and what led to what. */
export function WhyPanel({ answer: { value, problem, loading }, isPlaying }: WhyPanelProps) {
  const works = useMemo(() => worksOf(value?.causes ?? []), [value]);
  if (isPlaying && value === undefined) return <p className={classes.note}>Pause to ask why.</p>;
  if (value === undefined) return <p className={classes.note}>{loading ? "Asking…" : (problem ?? "")}</p>;
  return (
    <div className={classes.panel} data-stale={loading || isPlaying || undefined}>
      <p className={classes.headline}>{value.headline}</p>
      {works.length === 0 ? null : <Works works={works} />}
      <h3>What led to what</h3>
      <CausalGraph causes={value.causes} />
    </div>
  );
}
