import { useElementSize } from "@mantine/hooks";
import { type CSSProperties, useCallback, useRef, useState } from "react";

/** Rows beside those in view that are there already when the list is scrolled. */
const SPARE = 8;

/** The rows of a long list that are in view. All are of one height, in pixels. */
export function useVirtualRows(count: number, rowHeight: number) {
  const { ref: sized, height } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + SPARE);
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, offset) => first + offset);

  /** Scrolls as little as needed to have a row in view; `centred`: into the middle. */
  const reveal = useCallback(
    (row: number, centred = false) => {
      const element = scroller.current;
      if (element === null) return;
      const [from, to] = [row * rowHeight, (row + 1) * rowHeight];
      const visible = element.clientHeight;
      if (centred) element.scrollTop = from - (visible - rowHeight) / 2;
      else if (from < element.scrollTop) element.scrollTop = from;
      else if (to > element.scrollTop + visible) element.scrollTop = to - visible;
      // The browser tells of it a frame later: until then the rows would be those from before.
      setTop(element.scrollTop);
    },
    [rowHeight],
  );
  const setScroller = useCallback(
    (element: HTMLDivElement | null) => {
      scroller.current = element;
      sized(element);
    },
    [sized],
  );
  return {
    rows,
    reveal,
    scroller: { ref: setScroller, onScroll: () => setTop(scroller.current!.scrollTop) },
    sheet: { style: { height: count * rowHeight, position: "relative" } as CSSProperties },
    /** Room that the rows before and after those in view take, in pixels. */
    above: first * rowHeight,
    below: Math.max(0, count - last) * rowHeight,
    /** Where a row is. */
    place: (row: number): CSSProperties => ({
      ...{ position: "absolute", insetInline: 0, top: row * rowHeight, height: rowHeight },
    }),
  };
}
