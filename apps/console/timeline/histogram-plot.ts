import uPlot from "uplot";
import type { ReplayBucket } from "#contracts";
import { clockText, dayText } from "../history/moment.ts";
import type { Range } from "./buckets.ts";

/** What the histogram marks, epoch milliseconds. */
export interface PlotMarks {
  readonly violationsMs: readonly number[];
  readonly aMs: number | undefined;
  readonly bMs: number | undefined;
}

export const PLOT_HEIGHT = 92;
/** Room at the sides of the bars, so that a cursor or a label at an end is whole. */
export const SIDE = 18;

/** Draws the histogram into an element. `marks` is asked for at each drawing. */
export function makePlot(into: HTMLElement, width: number, range: Range, marks: () => PlotMarks): uPlot {
  const bars = uPlot.paths.bars!({ size: [0.9, 40], align: 1 });
  const ink = resolved("var(--faint)");
  return new uPlot(
    {
      width,
      height: PLOT_HEIGHT,
      ms: 1,
      padding: [10, SIDE, 0, SIDE],
      legend: { show: false },
      cursor: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      scales: {
        x: { time: true, range: () => [range.fromMs, range.toMs] },
        y: { range: (_, __, max) => [0, heightOf(max)] },
      },
      axes: [
        {
          stroke: ink,
          size: 22,
          grid: { show: false },
          ticks: { stroke: resolved("var(--line)"), size: 4 },
          font: "11px system-ui",
          values: (_, ticks) => ticks.map((ms) => tickText(ms, range.toMs - range.fromMs)),
        },
        { show: false },
      ],
      series: [
        {},
        { fill: resolved("var(--bar)"), width: 0, paths: bars, points: { show: false } },
        { fill: resolved("var(--bad)"), width: 0, paths: bars, points: { show: false } },
      ],
      hooks: { draw: [(plot) => drawMarks(plot, marks())] },
    },
    [[], [], []],
    into,
  );
}

/** As much of a time as tells ticks apart. */
function tickText(ms: number, widthMs: number): string {
  if (widthMs < 2_000) return clockText(ms).slice(3);
  if (widthMs < 15 * 60_000) return clockText(ms).slice(0, 8);
  return widthMs < 2 * 86_400_000 ? clockText(ms).slice(0, 5) : dayText(ms).slice(5);
}

/** Bars by the root of their counts: one failure beside ten thousand events is still seen. */
export function plotData(buckets: readonly ReplayBucket[]): uPlot.AlignedData {
  return [
    buckets.map(({ fromMs }) => fromMs),
    buckets.map(({ events }) => Math.sqrt(events)),
    buckets.map(({ failures }) => Math.sqrt(failures)),
  ];
}

function heightOf(max: number | null): number {
  return Math.max(1, max ?? 1) * 1.05;
}

/** A colour as a canvas understands it: the style sheet's may depend on the theme. */
function resolved(value: string): string {
  const probe = document.createElement("span");
  probe.style.color = value;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Violations as triangles on the upper edge, and the two marks as lines with their letters. */
function drawMarks(plot: uPlot, { violationsMs, aMs, bMs }: PlotMarks): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.fillStyle = resolved("var(--violation)");
  ctx.beginPath();
  for (const atMs of violationsMs) {
    const x = plot.valToPos(atMs, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.moveTo(x - 5 * ratio, 0);
    ctx.lineTo(x + 5 * ratio, 0);
    ctx.lineTo(x, 8 * ratio);
  }
  ctx.fill();
  for (const [letter, atMs, name] of [
    ["A", aMs, "--mark-a"],
    ["B", bMs, "--mark-b"],
  ] as const) {
    if (atMs === undefined) continue;
    const x = plot.valToPos(atMs, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.fillStyle = resolved(`var(${name})`);
    ctx.fillRect(Math.round(x - ratio / 2), bbox.top, Math.max(1, ratio * 1.5), bbox.height);
    ctx.font = `bold ${11 * ratio}px system-ui`;
    ctx.fillText(letter, x + 4 * ratio, bbox.top + 10 * ratio);
  }
  ctx.restore();
}
