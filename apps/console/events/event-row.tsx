import { VisuallyHidden } from "@mantine/core";
import type { ReplayStep } from "#contracts";
import { clockText } from "../history/moment.ts";
import { nameOf } from "../lists/name-of.ts";
import { useSession } from "../session.ts";
import classes from "./event-row.module.css";

interface EventRowProps {
  readonly step: ReplayStep;
  readonly isCurrent: boolean;
  readonly isToCome: boolean;
  readonly onGo: () => void;
}

/** One event in two lines: what happened and when, to what and how. */
export function EventRow({ step, isCurrent, isToCome, onGo }: EventRowProps) {
  const { player } = useSession();
  const about = step.about[0];
  return (
    <button
      type="button"
      className={classes.row}
      data-current={isCurrent || undefined}
      data-to-come={isToCome || undefined}
      data-failure={step.failure || undefined}
      aria-current={isCurrent ? "step" : undefined}
      onClick={onGo}
    >
      <span className={classes.line}>
        <span className={classes.type}>
          {step.failure ? <FailureSign /> : null}
          {step.type}
        </span>
        <span className={classes.time}>{clockText(step.atMs)}</span>
      </span>
      <span className={classes.detail}>
        {about === undefined ? "" : nameOf(player.scene, about)}
        {step.summary === "" ? "" : ` · ${step.summary}`}
        {step.unfolded === undefined ? "" : " · could not be folded"}
      </span>
    </button>
  );
}

/** Seen as a triangle, read as a word. */
function FailureSign() {
  return (
    <>
      <span aria-hidden="true">▲ </span>
      <VisuallyHidden>failure: </VisuallyHidden>
    </>
  );
}
