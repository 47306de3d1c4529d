import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import { drawSwatch } from "./draw-tile.ts";
import classes from "./legend.module.css";
import { LEGEND, type Look } from "./machine-look.ts";
import { readPalette } from "./palette.ts";

/** What shapes and colours of the map mean. */
export function Legend() {
  return (
    <ul className={classes.legend} aria-label="Legend">
      {LEGEND.map((look) => (
        <li key={look.name}>
          <Swatch look={look} /> {look.name}
        </li>
      ))}
      <li>
        <Swatch look={LEGEND[1]!} isStuck /> stuck: tries again
      </li>
    </ul>
  );
}

const SIDE = 13;

/** One tile, as the map and lists draw it. */
export function Swatch({ look, isStuck = false }: { readonly look: Look; readonly isStuck?: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours
  useEffect(() => {
    const ctx = canvas.current!.getContext("2d")!;
    ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    ctx.clearRect(0, 0, SIDE, SIDE);
    drawSwatch(ctx, { x: 0.5, y: 0.5, width: SIDE - 1, height: SIDE - 1 }, look, isStuck, readPalette());
  }, [look, isStuck, scheme]);
  const pixels = Math.ceil(SIDE * devicePixelRatio);
  return <canvas ref={canvas} width={pixels} height={pixels} style={{ width: SIDE, height: SIDE }} />;
}
