import { splitEntity, textOf } from "../history/facts.ts";
import { usePlayer, useSession } from "../session.ts";
import { isCrashed, isStuck } from "./machine-look.ts";
import classes from "./map-tooltip.module.css";

interface MapTooltipProps {
  readonly entity: string;
  readonly x: number;
  readonly y: number;
  readonly mapWidth: number;
}

const WIDTH = 230;

/** What the mouse points at, in a few lines. */
export function MapTooltip({ entity, x, y, mapWidth }: MapTooltipProps) {
  const { player } = useSession();
  usePlayer("moment");
  const facts = player.scene.facts(entity);
  if (facts === undefined) return null;
  const { kind, id } = splitEntity(entity);
  const step = textOf(facts, "operation.step");
  const lines =
    kind === "machine"
      ? [
          `${textOf(facts, "state")}${isCrashed(facts) ? ", crashed" : ""}${isStuck(facts) ? ", stuck" : ""}`,
          step === "" ? "" : `${textOf(facts, "operation.kind")} → ${step}`,
          `${textOf(facts, "app")} on ${textOf(facts, "host")}`,
        ]
      : [
          `cpu ${textOf(facts, "promised.cpuMillis")} of ${textOf(facts, "capacity.cpuMillis")} m`,
          `memory ${textOf(facts, "promised.memoryMib")} of ${textOf(facts, "capacity.memoryMib")} MiB`,
          textOf(facts, "cordon.owner") === "" ? "" : `cordoned by ${textOf(facts, "cordon.owner")}`,
        ];
  const left = x + 16 + WIDTH > mapWidth ? x - WIDTH - 12 : x + 16;
  return (
    <div className={classes.tooltip} style={{ left, top: y + 12, width: WIDTH }} role="tooltip">
      <b>{textOf(facts, "name") || id}</b>
      {lines
        .filter((line) => line !== "")
        .map((line) => (
          <div key={line}>{line}</div>
        ))}
    </div>
  );
}
