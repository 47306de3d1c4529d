import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import { whenOf } from "../history/moment.ts";
import { useLink, usePlayer, useSession } from "../session.ts";
import { bucketsIn, type Range } from "./buckets.ts";
import classes from "./histogram.module.css";
import { makePlot, type PlotMarks, plotData, SIDE } from "./histogram-plot.ts";
import { MomentSlider } from "./moment-slider.tsx";
import { useAlmanac } from "./use-range.ts";

/** How dense history is, where it failed, and where one is in it. */
export function Histogram({ bounds, range }: { readonly bounds: Range; readonly range: Range }) {
  const { player } = useSession();
  const { extent, violations } = useAlmanac();
  const seeking = usePlayer("seeking");
  const link = useLink();
  const scheme = useComputedColorScheme();
  const { ref: sized, width } = useElementSize();
  const box = useRef<HTMLDivElement>(null);
  const [plot, setPlot] = useState<uPlot>();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a moment fetched brings other steps to hand
  const buckets = useMemo(
    () => bucketsIn(extent?.buckets ?? [], range, player.window),
    [extent, range, player, seeking],
  );
  const marks = useRef<PlotMarks>({ violationsMs: [], aMs: undefined, bMs: undefined });
  marks.current = {
    violationsMs: violations.map(({ event }) => event.atMs),
    aMs: link.a === undefined ? undefined : whenOf(link.a),
    bMs: link.b === undefined ? undefined : whenOf(link.b),
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours
  useEffect(() => {
    if (box.current === null || width === 0) return;
    const made = makePlot(box.current, width, range, () => marks.current);
    setPlot(made);
    return () => made.destroy();
  }, [width, range, scheme]);
  useEffect(() => plot?.setData(plotData(buckets)), [plot, buckets]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: marks are read while drawing
  useEffect(() => plot?.redraw(false), [plot, violations, link.a, link.b]);

  return (
    <div ref={sized} className={classes.frame}>
      <div ref={box} aria-hidden="true" />
      {width === 0 ? null : (
        <MomentSlider bounds={bounds} range={range} left={SIDE} width={width - 2 * SIDE} />
      )}
    </div>
  );
}
