import { useMemo, useSyncExternalStore } from "react";
import type { AlmanacSnapshot } from "../history/almanac.ts";
import { useLink, useSession } from "../session.ts";
import type { Range } from "./buckets.ts";

export function useAlmanac(): AlmanacSnapshot {
  const { almanac } = useSession();
  return useSyncExternalStore(almanac.subscribe, almanac.snapshot);
}

/** All of history, and the stretch of it that the timeline shows. Undefined as long as nothing has happened. */
export function useRange(): { readonly bounds: Range; readonly range: Range } | undefined {
  const { extent } = useAlmanac();
  const { zoom } = useLink();
  return useMemo(() => {
    if (extent === undefined || extent.events === 0) return undefined;
    const bounds = { fromMs: extent.firstMs, toMs: Math.max(extent.lastMs, extent.firstMs + 1_000) };
    return { bounds, range: zoom ?? bounds };
  }, [extent, zoom]);
}
