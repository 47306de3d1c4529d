import { EventRow } from "../events/event-row.tsx";
import { momentOf } from "../history/moment.ts";
import { useAnswer } from "../lists/use-answer.ts";
import { useThrottledPlayer } from "../lists/use-throttled.ts";
import { useSession } from "../session.ts";
import classes from "./recent-events.module.css";

const MOST = 60;

/** The last events about something, the newest first. */
export function RecentEvents({ entity }: { readonly entity: string }) {
  const session = useSession();
  const { playing, moment, step: current } = useThrottledPlayer();
  const wish = { before: moment, limit: MOST, entity };
  const answer = useAnswer(playing ? undefined : moment, entity, (signal) => session.api.steps(wish, signal));
  const steps = answer.value?.steps.toReversed() ?? [];
  if (steps.length === 0) {
    return (
      <p className={classes.none}>
        {answer.loading ? "Reading…" : (answer.problem ?? "None up to this moment.")}
      </p>
    );
  }
  return (
    <ol className={classes.list}>
      {steps.map((step) => (
        <li key={step.id}>
          <EventRow
            step={step}
            isCurrent={step.id === current?.id}
            isToCome={false}
            onGo={() => session.goTo(momentOf(step))}
          />
        </li>
      ))}
    </ol>
  );
}
