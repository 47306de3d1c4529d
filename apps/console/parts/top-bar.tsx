import { Button, SegmentedControl } from "@mantine/core";
import { MarkChip } from "../diff/mark-chip.tsx";
import { VIEWS } from "../link/deep-link.ts";
import { useLink, useSession } from "../session.ts";
import { MomentReadout } from "../timeline/moment-readout.tsx";
import classes from "./top-bar.module.css";

const NAMES = { map: "Map", list: "List", diff: "Diff" } as const;

/** What the page is, the moment it shows, the views, and the two marks. */
export function TopBar({ onHelp }: { readonly onHelp: () => void }) {
  const { link } = useSession();
  const { view } = useLink();
  return (
    <header className={classes.bar}>
      <span className={classes.name}>Drover</span>
      <MomentReadout />
      <div className={classes.right}>
        <MarkChip mark="a" />
        <MarkChip mark="b" />
        <SegmentedControl
          size="xs"
          aria-label="View"
          data={VIEWS.map((value) => ({ value, label: NAMES[value] }))}
          value={view}
          onChange={(value) => link.push({ view: VIEWS.find((each) => each === value) ?? "map" })}
        />
        <Button size="compact-xs" variant="default" onClick={onHelp} aria-label="Keyboard">
          ?
        </Button>
      </div>
    </header>
  );
}
