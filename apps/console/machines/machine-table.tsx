import { type KeyboardEvent, useEffect } from "react";
import { useVirtualRows } from "../lists/use-virtual-rows.ts";
import { useLink, useSession } from "../session.ts";
import type { MachineRow } from "./machine-filter.ts";
import { MachineLine } from "./machine-line.tsx";
import classes from "./machine-table.module.css";
import { selectNeighbour } from "./select-neighbour.ts";

const ROW = 30;
const LEAPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 };

/** Machines line by line: only those in view are in the page. j and k, or the arrows, move the selection. */
export function MachineTable({ rows }: { readonly rows: readonly MachineRow[] }) {
  const session = useSession();
  const { selection } = useLink();
  const { rows: shown, reveal, scroller, above, below } = useVirtualRows(rows.length, ROW);
  const selected = rows.findIndex(({ id }) => `machine/${id}` === selection);
  useEffect(() => {
    if (selected >= 0) reveal(selected);
  }, [reveal, selected]);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = LEAPS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    selectNeighbour(session, by);
  };
  return (
    <div {...scroller} className={classes.scroller}>
      <table
        className={classes.table}
        aria-label="Machines"
        aria-rowcount={rows.length + 1}
        onKeyDown={onKeyDown}
      >
        <thead>
          <tr aria-rowindex={1}>
            <th>Name</th>
            <th>State</th>
            <th>App</th>
            <th>Host</th>
            <th>Note</th>
            <th>Id</th>
          </tr>
        </thead>
        <tbody>
          <tr className={classes.spacer} style={{ height: above }} />
          {shown.map((index) => (
            <MachineLine
              key={rows[index]!.id}
              row={rows[index]!}
              index={index}
              isSelected={index === selected}
            />
          ))}
          <tr className={classes.spacer} style={{ height: below }} />
        </tbody>
      </table>
      {rows.length === 0 ? <p className={classes.none}>No machine fits at this moment.</p> : null}
    </div>
  );
}
