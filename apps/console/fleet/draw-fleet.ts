import { drawRoom } from "./draw-room.ts";
import { type Box, drawShapes } from "./draw-shapes.ts";
import { drawName, drawStuck, NAMED } from "./draw-tile.ts";
import type { FleetLayout, Tile } from "./layout.ts";
import { isStuck, type Look, lookOf } from "./machine-look.ts";
import type { Palette } from "./palette.ts";

/** What a frame of the map shows. */
export interface Frame {
  readonly layout: FleetLayout;
  readonly palette: Palette;
  /** The part in view: its height, and how far it is scrolled, in pixels. */
  readonly top: number;
  readonly height: number;
  readonly width: number;
  readonly selection: string | undefined;
  readonly hovered: string | undefined;
  /** Whether something has changed just now. */
  readonly shines: (entity: string) => boolean;
}

/** What is drawn of all tiles together. */
interface Tiles {
  readonly shapes: Map<Look, Box[]>;
  readonly stuck: Box[];
  readonly shining: Box[];
  readonly selected: Box[];
  readonly hovered: Box[];
}

/** Draws what is in view of the map. */
export function drawFleet(ctx: CanvasRenderingContext2D, frame: Frame): void {
  const { layout, top, height, width, palette } = frame;
  const tiles: Tiles = { shapes: new Map(), stuck: [], shining: [], selected: [], hovered: [] };
  ctx.clearRect(0, 0, width, height);
  ctx.save();
  ctx.translate(0, -top);
  for (const room of layout.rooms) {
    if (room.y + room.height < top || room.y > top + height) continue;
    drawRoom(ctx, room, palette);
    if (frame.selection === `host/${room.hostId}`) outline(ctx, [room], palette.accent, 2);
    for (const tile of room.tiles) {
      if (tile.y + layout.tileHeight >= top && tile.y <= top + height) collect(ctx, tile, frame, tiles);
    }
  }
  for (const [look, boxes] of tiles.shapes) drawShapes(ctx, boxes, look);
  drawStuck(ctx, tiles.stuck, palette);
  outline(ctx, tiles.shining, palette.accent, 1.5);
  outline(ctx, tiles.hovered, palette.faint, 1);
  outline(ctx, tiles.selected, palette.ink, 2);
  ctx.restore();
}

function collect(ctx: CanvasRenderingContext2D, { id, x, y, facts }: Tile, frame: Frame, tiles: Tiles): void {
  const { layout, palette } = frame;
  const box = { x, y, width: layout.tileWidth - 4, height: layout.tileHeight - 4 };
  const look = lookOf(facts);
  const shape = box.width < NAMED ? box : drawName(ctx, box, facts, palette);
  const alike = tiles.shapes.get(look);
  if (alike === undefined) tiles.shapes.set(look, [shape]);
  else alike.push(shape);
  if (isStuck(facts)) tiles.stuck.push(box);
  const entity = `machine/${id}`;
  if (entity === frame.selection) tiles.selected.push(grown(box, 2));
  else if (entity === frame.hovered) tiles.hovered.push(grown(box, 2));
  else if (frame.shines(entity)) tiles.shining.push(grown(box, 1.5));
}

function outline(ctx: CanvasRenderingContext2D, boxes: readonly Box[], colour: string, thick: number): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = thick;
  ctx.beginPath();
  for (const { x, y, width, height } of boxes) ctx.rect(x, y, width, height);
  ctx.stroke();
}

function grown({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}
