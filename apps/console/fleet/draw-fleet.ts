import { drawRoom } from "./draw-room.ts";
import { type Box, drawTile } from "./draw-tile.ts";
import type { FleetLayout } from "./layout.ts";
import { lookOf } from "./machine-look.ts";
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

/** Draws what is in view of the map. */
export function drawFleet(ctx: CanvasRenderingContext2D, frame: Frame): void {
  const { layout, top, height, width, palette } = frame;
  ctx.clearRect(0, 0, width, height);
  ctx.save();
  ctx.translate(0, -top);
  for (const room of layout.rooms) {
    if (room.y + room.height < top || room.y > top + height) continue;
    drawRoom(ctx, room, palette);
    if (frame.selection === `host/${room.hostId}`) outline(ctx, room, palette.accent, 2);
    for (const tile of room.tiles) {
      if (tile.y + layout.tileHeight < top || tile.y > top + height) continue;
      const box = { x: tile.x, y: tile.y, width: layout.tileWidth - 4, height: layout.tileHeight - 4 };
      drawTile(ctx, box, tile.facts, lookOf(tile.facts), palette);
      const entity = `machine/${tile.id}`;
      if (entity === frame.selection) outline(ctx, grown(box, 2), palette.ink, 2);
      else if (entity === frame.hovered) outline(ctx, grown(box, 2), palette.faint, 1);
      else if (frame.shines(entity)) outline(ctx, grown(box, 1.5), palette.accent, 1.5);
    }
  }
  ctx.restore();
}

function outline(
  ctx: CanvasRenderingContext2D,
  { x, y, width, height }: Box,
  colour: string,
  thick: number,
): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = thick;
  ctx.strokeRect(x, y, width, height);
}

function grown({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}
