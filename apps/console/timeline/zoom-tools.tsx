import { Tool } from "../parts/tool.tsx";
import { useSession } from "../session.ts";
import { type Range, zoomed } from "./buckets.ts";

/** Narrower and wider around the moment shown, and back to all of history. */
export function ZoomTools({ bounds, range }: { readonly bounds: Range; readonly range: Range }) {
  const { link, player } = useSession();
  const zoom = (factor: number) => {
    const { atMs } = player.snapshot();
    const around = atMs >= range.fromMs && atMs <= range.toMs ? atMs : (range.fromMs + range.toMs) / 2;
    const next = zoomed(range, around, factor, bounds);
    link.replace({ zoom: next === bounds ? undefined : next });
  };
  return (
    <>
      <Tool icon="minus" label="Show more of history" onClick={() => zoom(2.5)} />
      <Tool icon="plus" label="Look closer" onClick={() => zoom(0.4)} />
      <Tool icon="all" label="Show all of history" onClick={() => link.replace({ zoom: undefined })} />
    </>
  );
}
