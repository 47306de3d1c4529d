import { type LiveFacts, textOf } from "../history/facts.ts";
import { isStuck, type Look } from "./machine-look.ts";
import type { Palette } from "./palette.ts";

/** A tile's box, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** From this width on a tile shows its machine's name. */
const NAMED = 80;

/** A machine: its state as a shape in a colour, its name where there is room. */
export function drawTile(
  ctx: CanvasRenderingContext2D,
  box: Box,
  facts: LiveFacts,
  look: Look,
  palette: Palette,
) {
  if (box.width < NAMED) {
    drawShape(ctx, box, look);
    if (isStuck(facts)) drawStuck(ctx, box, palette);
    return;
  }
  ctx.fillStyle = palette.raised;
  ctx.fillRect(box.x, box.y, box.width, box.height);
  const side = Math.min(14, box.height - 10);
  const mark = { x: box.x + 7, y: box.y + (box.height - side) / 2, width: side, height: side };
  drawShape(ctx, mark, look);
  ctx.fillStyle = palette.ink;
  ctx.textBaseline = "middle";
  ctx.font = "12px system-ui, sans-serif";
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.x, box.y, box.width - 5, box.height);
  ctx.clip();
  ctx.fillText(textOf(facts, "name"), mark.x + side + 7, box.y + box.height / 2 + 1);
  ctx.restore();
  if (isStuck(facts)) drawStuck(ctx, box, palette);
}

function drawShape(
  ctx: CanvasRenderingContext2D,
  { x, y, width, height }: Box,
  { colour, shape }: Look,
): void {
  ctx.fillStyle = colour;
  ctx.strokeStyle = colour;
  const thick = Math.max(1.5, width / 8);
  ctx.lineWidth = thick;
  const inset = thick / 2;
  switch (shape) {
    case "solid":
      ctx.fillRect(x, y, width, height);
      return;
    case "ring":
      ctx.strokeRect(x + inset, y + inset, width - thick, height - thick);
      return;
    case "half":
      ctx.strokeRect(x + inset, y + inset, width - thick, height - thick);
      ctx.beginPath();
      ctx.moveTo(x, y + height);
      ctx.lineTo(x + width, y + height);
      ctx.lineTo(x, y);
      ctx.fill();
      return;
    case "cross":
      ctx.fillRect(x, y, width, height);
      ctx.strokeStyle = "#fff";
      ctx.beginPath();
      ctx.moveTo(x + width * 0.25, y + height * 0.25);
      ctx.lineTo(x + width * 0.75, y + height * 0.75);
      ctx.moveTo(x + width * 0.75, y + height * 0.25);
      ctx.lineTo(x + width * 0.25, y + height * 0.75);
      ctx.stroke();
      return;
    case "bars":
      ctx.fillRect(x, y, width * 0.36, height);
      ctx.fillRect(x + width * 0.64, y, width * 0.36, height);
      return;
    case "dot":
      ctx.strokeRect(x + inset, y + inset, width - thick, height - thick);
      ctx.fillRect(x + width * 0.36, y + height * 0.36, width * 0.28, height * 0.28);
      return;
    case "dash":
      ctx.fillRect(x, y + height * 0.42, width, height * 0.16);
  }
}

/** A corner that says: this does not get on. */
function drawStuck(
  ctx: CanvasRenderingContext2D,
  { x, y, width, height }: Box,
  { bad, panel }: Palette,
): void {
  const side = Math.max(6, Math.min(10, height * 0.5));
  ctx.fillStyle = bad;
  ctx.strokeStyle = panel;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(x + width, y);
  ctx.lineTo(x + width, y + side);
  ctx.lineTo(x + width - side, y);
  ctx.closePath();
  ctx.fill();
  ctx.stroke();
}
