import { useEffect, useState } from "react";
import type { PlayerSnapshot } from "../history/player-snapshot.ts";
import { useSession } from "../session.ts";

/** While playing, what is read and not watched is brought up to date this often. */
const EVERY_MS = 120;

/** The player's state, at once while it rests, and now and then while it plays. */
export function useThrottledPlayer(): PlayerSnapshot {
  const { player } = useSession();
  const [snapshot, setSnapshot] = useState(player.snapshot);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let shownMs = 0;
    const show = () => {
      clearTimeout(timer);
      timer = undefined;
      shownMs = performance.now();
      setSnapshot(player.snapshot());
    };
    show();
    const leave = player.subscribe(() => {
      const waitMs = player.snapshot().playing ? shownMs + EVERY_MS - performance.now() : 0;
      if (waitMs <= 0) show();
      else timer ??= setTimeout(show, waitMs);
    });
    return () => {
      leave();
      clearTimeout(timer);
    };
  }, [player]);
  return snapshot;
}
