import type { Session } from "../session.ts";
import { machineRows } from "./machine-filter.ts";

/** Moves the selection in the list of machines, as it is searched now. */
export function selectNeighbour({ player, link }: Session, by: number): void {
  const { search = "", selection } = link.snapshot();
  const rows = machineRows(player.scene.all("machine"), search);
  const here = rows.findIndex(({ id }) => `machine/${id}` === selection);
  const next = rows[here < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, here + by))];
  if (next !== undefined) link.replace({ selection: `machine/${next.id}` });
}
