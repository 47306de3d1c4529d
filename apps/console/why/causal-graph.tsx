import { useMemo, useState } from "react";
import type { ReplayCause } from "#contracts";
import { clockText, durationText } from "../history/moment.ts";
import { useSession } from "../session.ts";
import classes from "./causal-graph.module.css";
import { CauseMark } from "./cause-mark.tsx";
import { type CauseRow, causeRows } from "./cause-rows.ts";

const LINE = 36;
const STEP = 17;
const LEFT = 10;
const UNFOLDED = 3;

/** What led to what: a line leads from each cause down to what came of it. A click goes to its event. */
export function CausalGraph({ causes }: { readonly causes: readonly ReplayCause[] }) {
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const folded = useMemo(() => toggled.symmetricDifference(foldedAtFirst(causes)), [causes, toggled]);
  const rows = useMemo(() => causeRows(causes, folded), [causes, folded]);
  const deepest = Math.max(0, ...rows.map(({ depth }) => depth));
  const toggle = (key: string) => setToggled((before) => before.symmetricDifference(new Set([key])));
  return (
    <div className={classes.graph} style={{ height: rows.length * LINE }}>
      <svg
        className={classes.lines}
        width={LEFT + deepest * STEP + 12}
        height={rows.length * LINE}
        aria-hidden="true"
      >
        {rows.map(({ key, depth, parent }, line) =>
          parent === undefined ? null : <path key={key} d={edge(rows[parent]!.depth, parent, depth, line)} />,
        )}
        {rows.map(({ key, cause, depth }, line) => (
          <CauseMark key={key} kind={cause.kind} x={LEFT + depth * STEP} y={line * LINE + LINE / 2} />
        ))}
      </svg>
      <ol>
        {rows.map((row, line) => (
          <li key={row.key} style={{ top: line * LINE, height: LINE, left: LEFT + row.depth * STEP + 14 }}>
            <CauseLine row={row} isFolded={folded.has(row.key)} onFold={() => toggle(row.key)} />
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Of a long history only what came last is unfolded: what is asked is mostly how it came to this. */
function foldedAtFirst(causes: readonly ReplayCause[]): Set<string> {
  return new Set(causes.slice(0, -UNFOLDED).map((_, place) => String(place)));
}

function edge(fromDepth: number, from: number, toDepth: number, to: number): string {
  const [x, y] = [LEFT + fromDepth * STEP, from * LINE + LINE / 2];
  const [endX, endY] = [LEFT + toDepth * STEP, to * LINE + LINE / 2];
  return `M${x} ${y}V${endY - 7}Q${x} ${endY} ${x + 7} ${endY}H${endX}`;
}

interface CauseLineProps {
  readonly row: CauseRow;
  readonly isFolded: boolean;
  readonly onFold: () => void;
}

function CauseLine({ row: { cause, hasChildren }, isFolded, onFold }: CauseLineProps) {
  const session = useSession();
  const { event, title, detail, atMs, durationMs, kind } = cause;
  const when = [
    durationMs === undefined ? "" : durationText(durationMs),
    atMs === undefined ? "" : clockText(atMs),
  ];
  return (
    <>
      <button
        type="button"
        className={classes.cause}
        disabled={event === undefined}
        title={[`${kind}: ${title}`, detail].filter(Boolean).join("\n")}
        onClick={() => event !== undefined && session.goTo(event.id)}
      >
        <span className={classes.title}>{title}</span>
        <span className={classes.detail}>{[...when, detail].filter(Boolean).join(" · ")}</span>
      </button>
      {hasChildren ? (
        <button
          type="button"
          className={classes.fold}
          aria-label={isFolded ? "Unfold" : "Fold"}
          onClick={onFold}
        >
          {isFolded ? "+" : "−"}
        </button>
      ) : null}
    </>
  );
}
