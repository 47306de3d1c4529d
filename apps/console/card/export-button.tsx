import { Button, Tooltip } from "@mantine/core";
import { useState } from "react";
import type { ReplayExportRequest } from "#contracts";
import { ApiTrouble } from "../api/trouble.ts";
import { Icon } from "../parts/icon.tsx";
import { saveFile } from "../parts/save-file.ts";
import { useSession } from "../session.ts";
import classes from "./export-button.module.css";

interface ExportButtonProps {
  /** What the test is to show; asked for when the button is pressed. */
  readonly wish: () => ReplayExportRequest;
  /** The same in words. */
  readonly shows: string;
}

/** Downloads the events that matter, and a test that replays them. */
export function ExportButton({ wish, shows }: ExportButtonProps) {
  const { api } = useSession();
  const [state, setState] = useState<{ readonly text: string; readonly busy: boolean }>();
  const run = async () => {
    setState({ text: "Exporting…", busy: true });
    try {
      const { fixture, test, events, of, headline } = await api.export(wish());
      saveFile(fixture.name, fixture.text);
      saveFile(test.name, test.text);
      setState({ text: `${events} of ${of} events: ${headline}`, busy: false });
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
      <Tooltip label={`Download a test that shows ${shows}, and the events that it replays`}>
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
