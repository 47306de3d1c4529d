import { type RefObject, useEffect } from "react";
import { type Range, within, zoomed } from "./buckets.ts";

interface Shown {
  readonly bounds: Range;
  readonly range: Range;
  /** Pixels. */
  readonly width: number;
}

/** The wheel zooms around the pointer; sideways it pans. `onRange`: told of the range wished for. */
export function useWheel(
  { bounds, range, width }: Shown,
  area: RefObject<HTMLDivElement | null>,
  onRange: (range: Range) => void,
): void {
  useEffect(() => {
    const element = area.current!;
    // React's own listener may not keep the page from scrolling.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const msPerPixel = (range.toMs - range.fromMs) / width;
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const shiftMs = event.deltaX * msPerPixel;
        onRange(within({ fromMs: range.fromMs + shiftMs, toMs: range.toMs + shiftMs }, bounds));
        return;
      }
      const pointed = range.fromMs + (event.clientX - element.getBoundingClientRect().left) * msPerPixel;
      onRange(zoomed(range, pointed, 1.0015 ** event.deltaY, bounds));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  });
}
