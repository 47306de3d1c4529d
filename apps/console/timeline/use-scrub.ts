import { type KeyboardEvent, type PointerEvent, type RefObject, useRef } from "react";
import { useSession } from "../session.ts";
import type { Range } from "./buckets.ts";
import { useWheel } from "./use-wheel.ts";

interface Shown {
  readonly bounds: Range;
  readonly range: Range;
  /** Pixels. */
  readonly width: number;
}

/** A stretch chosen with the mouse that is narrower than this many pixels was a click. */
const LEAST_CHOICE = 4;

/** Moves through time with pointer, wheel and keys. `choice` is drawn over the stretch that is being chosen. */
export function useScrub(
  { bounds, range, width }: Shown,
  area: RefObject<HTMLDivElement | null>,
  choice: RefObject<HTMLDivElement | null>,
) {
  const session = useSession();
  const grip = useRef<{ readonly x: number; readonly chooses: boolean }>(undefined);
  const placeOf = (event: { clientX: number }) => {
    const { left } = area.current!.getBoundingClientRect();
    return Math.max(0, Math.min(width, event.clientX - left));
  };
  const timeAt = (x: number) => range.fromMs + (x / width) * (range.toMs - range.fromMs);
  const showChoice = (from: number, to: number) => {
    const element = choice.current!;
    element.hidden = Math.abs(to - from) < LEAST_CHOICE;
    element.style.left = `${Math.min(from, to)}px`;
    element.style.width = `${Math.abs(to - from)}px`;
  };
  const zoomTo = (next: Range) => session.link.replace({ zoom: next === bounds ? undefined : next });

  const pointer = {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      area.current!.setPointerCapture(event.pointerId);
      grip.current = { x: placeOf(event), chooses: event.shiftKey };
      session.rest();
      if (!event.shiftKey) void session.player.seekTime(timeAt(placeOf(event)));
    },
    onPointerMove: (event: PointerEvent) => {
      if (grip.current === undefined) return;
      if (grip.current.chooses) showChoice(grip.current.x, placeOf(event));
      else void session.player.seekTime(timeAt(placeOf(event)));
    },
    onPointerUp: (event: PointerEvent) => {
      const held = grip.current;
      grip.current = undefined;
      if (held === undefined) return;
      const [from, to] = [held.x, placeOf(event)].sort((a, b) => a - b) as [number, number];
      if (!held.chooses) session.link.push({ moment: String(Math.round(timeAt(placeOf(event)))) });
      else if (to - from >= LEAST_CHOICE) zoomTo({ fromMs: timeAt(from), toMs: timeAt(to) });
      choice.current!.hidden = true;
    },
    onDoubleClick: () => zoomTo(bounds),
  };

  useWheel({ bounds, range, width }, area, zoomTo);

  const onKeyDown = (event: KeyboardEvent) => {
    const { atMs } = session.player.snapshot();
    const leap = (range.toMs - range.fromMs) / 10;
    const targets: Readonly<Record<string, number>> = {
      PageUp: Math.min(bounds.toMs, atMs + leap),
      PageDown: Math.max(bounds.fromMs, atMs - leap),
      Home: bounds.fromMs,
      End: bounds.toMs,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    session.rest();
    void session.player.seekTime(target);
  };
  return { pointer, onKeyDown };
}
