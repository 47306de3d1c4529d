import { Button, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { useThrottledPlayer } from "../lists/use-throttled.ts";
import { useLink, useSession } from "../session.ts";
import { machineRows } from "./machine-filter.ts";
import classes from "./machine-list.module.css";
import { MachineTable } from "./machine-table.tsx";

/** All machines at the moment shown, as a table that can be searched. */
export function MachineList() {
  const { player, link } = useSession();
  const snapshot = useThrottledPlayer();
  const { search = "" } = useLink();
  const { version } = player.scene;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scene is changed in place, and its version says when
  const rows = useMemo(
    () => machineRows(player.scene.all("machine"), search),
    [player, search, version, snapshot.empty],
  );
  const searchFor = (text: string) => link.replace({ search: text });
  return (
    <div className={classes.page}>
      <div className={classes.head}>
        <TextInput
          id="search"
          size="xs"
          className={classes.search ?? ""}
          aria-label="Search machines"
          placeholder="id, name, app, state, host:host-1, crashed, stuck"
          value={search}
          onChange={({ currentTarget }) => searchFor(currentTarget.value)}
          onKeyDown={({ key, currentTarget }) => key === "Escape" && currentTarget.blur()}
        />
        {["crashed", "stuck"].map((word) => (
          <Button
            key={word}
            size="compact-xs"
            variant={search === word ? "filled" : "default"}
            color="teal"
            aria-pressed={search === word}
            onClick={() => searchFor(search === word ? "" : word)}
          >
            {word}
          </Button>
        ))}
        <span className={classes.count} role="status">
          {rows.length} {rows.length === 1 ? "machine" : "machines"}
        </span>
      </div>
      <MachineTable rows={rows} />
    </div>
  );
}
