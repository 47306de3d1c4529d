import { Swatch } from "../fleet/legend.tsx";
import { lookOf } from "../fleet/machine-look.ts";
import { useSession } from "../session.ts";
import type { MachineRow } from "./machine-filter.ts";
import classes from "./machine-table.module.css";

interface MachineLineProps {
  readonly row: MachineRow;
  /** Its place among all rows, not only those in view. */
  readonly index: number;
  readonly isSelected: boolean;
}

/** One machine of the list. All of its line is its button. */
export function MachineLine({ row, index, isSelected }: MachineLineProps) {
  const { link } = useSession();
  return (
    <tr className={classes.row} aria-rowindex={index + 2} data-selected={isSelected || undefined}>
      <td className={classes.name}>
        <button
          type="button"
          aria-pressed={isSelected}
          onClick={() => link.push({ selection: `machine/${row.id}` })}
        >
          {row.name || row.id}
        </button>
      </td>
      <td>
        <span className={classes.state}>
          <Swatch look={lookOf(row.facts)} /> {row.state}
        </span>
      </td>
      <td>{row.app}</td>
      <td>{row.host}</td>
      <td className={classes.note} title={row.note}>
        {row.note}
      </td>
      <td className={classes.id}>{row.id}</td>
    </tr>
  );
}
