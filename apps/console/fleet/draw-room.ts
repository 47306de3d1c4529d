import { type LiveFacts, numberOf, textOf } from "../history/facts.ts";
import { ROOM_SIDE, type Room } from "./layout.ts";
import type { Palette } from "./palette.ts";

const RADIUS = 6;

/** A host: its name, whether it takes machines, how full it is. */
export function drawRoom(ctx: CanvasRenderingContext2D, room: Room, palette: Palette): void {
  const { x, y, width, height, facts, hostId } = room;
  const cordon = facts === undefined ? "" : textOf(facts, "cordon.owner");
  ctx.fillStyle = palette.panel;
  ctx.strokeStyle = cordon === "" ? palette.line : palette.bad;
  ctx.lineWidth = 1;
  ctx.setLineDash(cordon === "" ? [] : [5, 3]);
  ctx.beginPath();
  ctx.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, RADIUS);
  ctx.fill();
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.textBaseline = "middle";
  ctx.font = "600 13px system-ui, sans-serif";
  ctx.fillStyle = palette.ink;
  ctx.fillText(hostId, x + ROOM_SIDE, y + 16);
  const nameWidth = ctx.measureText(hostId).width;
  ctx.font = "12px system-ui, sans-serif";
  ctx.fillStyle = palette.faint;
  ctx.fillText(
    facts === undefined ? "unknown" : textOf(facts, "region"),
    x + ROOM_SIDE + nameWidth + 8,
    y + 16,
  );
  ctx.textAlign = "right";
  if (cordon !== "") ctx.fillStyle = palette.bad;
  const count = `${room.tiles.length}`;
  ctx.fillText(cordon === "" ? count : `cordoned · ${count}`, x + width - ROOM_SIDE, y + 16);
  ctx.textAlign = "left";
  if (facts !== undefined) drawCapacity(ctx, room, facts, palette);
}

function drawCapacity(ctx: CanvasRenderingContext2D, room: Room, facts: LiveFacts, palette: Palette): void {
  const half = (room.width - 2 * ROOM_SIDE - 14) / 2;
  const bars = [
    ["cpu", "cpuMillis", room.x + ROOM_SIDE],
    ["memory", "memoryMib", room.x + ROOM_SIDE + half + 14],
  ] as const;
  ctx.font = "11px system-ui, sans-serif";
  for (const [name, path, x] of bars) {
    const capacity = numberOf(facts, `capacity.${path}`);
    const share = capacity === 0 ? 0 : numberOf(facts, `promised.${path}`) / capacity;
    ctx.fillStyle = palette.faint;
    ctx.fillText(name, x, room.y + 36);
    ctx.textAlign = "right";
    ctx.fillText(capacity === 0 ? "–" : `${Math.round(share * 100)}%`, x + half, room.y + 36);
    ctx.textAlign = "left";
    ctx.fillStyle = palette.raised;
    ctx.fillRect(x, room.y + 46, half, 5);
    ctx.fillStyle = share > 1 ? palette.bad : palette.accent;
    ctx.fillRect(x, room.y + 46, half * Math.min(1, share), 5);
  }
}
