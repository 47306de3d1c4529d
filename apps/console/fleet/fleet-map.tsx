import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import { useLink, usePlayer, useSession } from "../session.ts";
import { FleetCanvas } from "./fleet-canvas.ts";
import classes from "./fleet-map.module.css";
import { entityAt, neighbour } from "./layout.ts";
import { Legend } from "./legend.tsx";
import { MapTooltip } from "./map-tooltip.tsx";

interface Pointed {
  readonly entity: string;
  readonly x: number;
  readonly y: number;
}

/** Hosts as rooms, their machines as tiles. The list says the same to whoever cannot see it. */
export function FleetMap() {
  const { player, link } = useSession();
  const { selection } = useLink();
  const empty = usePlayer("empty");
  const scheme = useComputedColorScheme();
  const { ref: sized, width, height } = useElementSize();
  const element = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const [canvas, setCanvas] = useState<FleetCanvas>();
  const [mapHeight, setMapHeight] = useState(0);
  const [pointed, setPointed] = useState<Pointed>();

  useEffect(() => {
    const made = new FleetCanvas(element.current!, player, setMapHeight);
    setCanvas(made);
    const leave = player.subscribe(() => made.draw());
    return () => {
      leave();
      made.stop();
    };
  }, [player]);
  useEffect(() => canvas?.resize(width, height), [canvas, width, height]);
  useEffect(() => canvas?.show(selection, pointed?.entity), [canvas, selection, pointed]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours
  useEffect(() => canvas?.repaint(), [canvas, scheme]);

  const pointAt = (event: MouseEvent): Pointed | undefined => {
    const { left, top } = element.current!.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const entity = canvas?.layout && entityAt(canvas.layout, x, y + scroller.current!.scrollTop);
    return entity === undefined ? undefined : { entity, x, y };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Plain arrows step through events everywhere.
    if (!event.altKey || canvas?.layout === undefined || !event.key.startsWith("Arrow")) return;
    const next = neighbour(canvas.layout, selection, event.key);
    event.preventDefault();
    event.stopPropagation();
    if (next !== undefined) link.replace({ selection: next });
  };
  return (
    <>
      <div ref={sized} className={classes.frame}>
        <div
          ref={scroller}
          className={classes.scroller}
          onScroll={({ currentTarget }) => canvas?.scroll(currentTarget.scrollTop)}
        >
          <div className={classes.sheet} style={{ height: Math.max(mapHeight, height) }}>
            <canvas
              ref={element}
              className={classes.canvas}
              tabIndex={0}
              role="img"
              aria-label="Map of hosts and machines. Alt and arrow keys select a machine; the list view holds the same as a table."
              onMouseMove={(event) => setPointed(pointAt(event))}
              onMouseLeave={() => setPointed(undefined)}
              onClick={(event) => link.push({ selection: pointAt(event)?.entity })}
              onKeyDown={onKeyDown}
            />
          </div>
        </div>
        {pointed === undefined ? null : <MapTooltip {...pointed} mapWidth={width} />}
        {empty ? <p className={classes.empty}>Fetching the first picture…</p> : null}
      </div>
      <Legend />
    </>
  );
}
