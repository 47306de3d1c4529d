import { useEffect, useRef } from "react";
import { clockText, dayText } from "../history/moment.ts";
import { useSession } from "../session.ts";
import type { Range } from "./buckets.ts";
import classes from "./moment-slider.module.css";
import { useScrub } from "./use-scrub.ts";

interface MomentSliderProps {
  readonly bounds: Range;
  readonly range: Range;
  /** Where the range begins in the element around, and how wide it is, in pixels. */
  readonly left: number;
  readonly width: number;
}

/**
 * The cursor over the histogram. Drag or click to go; shift and drag to look closer; the wheel zooms, sideways it pans.
 * It moves with each frame while playing, so it is moved by hand, without React.
 */
export function MomentSlider({ bounds, range, left, width }: MomentSliderProps) {
  const { player } = useSession();
  const area = useRef<HTMLDivElement>(null);
  const thumb = useRef<HTMLDivElement>(null);
  const choice = useRef<HTMLDivElement>(null);
  const scrub = useScrub({ bounds, range, width }, area, choice);

  useEffect(() => {
    const place = () => {
      const { atMs } = player.snapshot();
      const share = (atMs - range.fromMs) / Math.max(1, range.toMs - range.fromMs);
      const element = thumb.current!;
      element.hidden = share < -0.001 || share > 1.001;
      element.style.transform = `translateX(${Math.round(Math.max(0, Math.min(1, share)) * width)}px)`;
      element.setAttribute("aria-valuenow", String(Math.round(atMs)));
      element.setAttribute("aria-valuetext", `${dayText(atMs)} ${clockText(atMs)}`);
    };
    place();
    return player.subscribe(place);
  }, [player, range, width]);

  return (
    <div
      ref={area}
      className={classes.area}
      style={{ left, width }}
      {...scrub.pointer}
      data-testid="timeline"
    >
      <div ref={choice} className={classes.choice} hidden />
      <div
        ref={thumb}
        className={classes.thumb}
        role="slider"
        tabIndex={0}
        aria-label="Moment"
        aria-valuemin={Math.round(bounds.fromMs)}
        aria-valuemax={Math.round(bounds.toMs)}
        aria-valuenow={0}
        onKeyDown={scrub.onKeyDown}
      />
    </div>
  );
}
