import { type LiveFacts, textOf } from "../history/facts.ts";
import { type Box, drawShapes } from "./draw-shapes.ts";
import type { Look } from "./machine-look.ts";
import type { Palette } from "./palette.ts";

/** From this width on a tile shows its machine's name. */
export const NAMED = 80;

/** The ground of a tile with a name, and the name. Returns where its shape goes. */
export function drawName(ctx: CanvasRenderingContext2D, box: Box, facts: LiveFacts, palette: Palette): Box {
  ctx.fillStyle = palette.raised;
  ctx.fillRect(box.x, box.y, box.width, box.height);
  const side = Math.min(14, box.height - 10);
  const mark = { x: box.x + 7, y: box.y + (box.height - side) / 2, width: side, height: side };
  ctx.fillStyle = palette.ink;
  ctx.textBaseline = "middle";
  ctx.font = "12px system-ui, sans-serif";
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.x, box.y, box.width - 5, box.height);
  ctx.clip();
  ctx.fillText(textOf(facts, "name"), mark.x + side + 7, box.y + box.height / 2 + 1);
  ctx.restore();
  return mark;
}

/** One tile without a name, as lists show it beside words. */
export function drawSwatch(
  ctx: CanvasRenderingContext2D,
  box: Box,
  look: Look,
  stuck: boolean,
  palette: Palette,
): void {
  drawShapes(ctx, [box], look);
  if (stuck) drawStuck(ctx, [box], palette);
}

/** A corner that says: this does not get on. */
export function drawStuck(
  ctx: CanvasRenderingContext2D,
  boxes: readonly Box[],
  { bad, panel }: Palette,
): void {
  ctx.fillStyle = bad;
  ctx.strokeStyle = panel;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const { x, y, width, height } of boxes) {
    const side = Math.max(6, Math.min(10, height * 0.5));
    ctx.moveTo(x + width, y);
    ctx.lineTo(x + width, y + side);
    ctx.lineTo(x + width - side, y);
    ctx.closePath();
  }
  ctx.fill();
  ctx.stroke();
}
