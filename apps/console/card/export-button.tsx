import { Button, Tooltip } from "@mantine/core";
import { useState } from "react";
import { ApiTrouble } from "../api/trouble.ts";
import { Icon } from "../parts/icon.tsx";
import { saveFile } from "../parts/save-file.ts";
import { useLink, useSession } from "../session.ts";
import classes from "./export-button.module.css";

interface ExportButtonProps {
  /** What the slice is about; what happened last where nothing is selected. */
  readonly selection?: string;
  readonly name: string;
}

/** Downloads the events that matter, and a test that replays them. */
export function ExportButton({ selection, name }: ExportButtonProps) {
  const { api, player } = useSession();
  const { b } = useLink();
  const [state, setState] = useState<{ readonly text: string; readonly busy: boolean }>();
  const run = async () => {
    setState({ text: "Exporting…", busy: true });
    try {
      const until = b ?? player.snapshot().moment;
      const made = await api.export({ ...(selection && { entity: selection }), b: until });
      saveFile(made.fixture.name, made.fixture.text);
      saveFile(made.test.name, made.test.text);
      setState({ text: `${made.events} of ${made.of} events exported`, busy: false });
    } catch (error) {
      if (!(error instanceof ApiTrouble)) throw error;
      setState({ text: error.message, busy: false });
    }
  };
  return (
    <span className={classes.export}>
      <span role="status" title={state?.text}>
        {state?.text}
      </span>
      <Tooltip
        label={`A fixture and a test of ${name}, up to ${b === undefined ? "this moment" : "the second mark"}`}
      >
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<Icon name="download" />}
          disabled={state?.busy === true}
          onClick={() => void run()}
        >
          Export
        </Button>
      </Tooltip>
    </span>
  );
}
