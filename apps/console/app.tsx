import { useState } from "react";
import classes from "./app.module.css";
import { Card } from "./card/card.tsx";
import { DiffView } from "./diff/diff-view.tsx";
import { EventList } from "./events/event-list.tsx";
import { FleetMap } from "./fleet/fleet-map.tsx";
import { Help } from "./keyboard/help.tsx";
import { useShortcuts } from "./keyboard/use-shortcuts.ts";
import { MachineList } from "./machines/machine-list.tsx";
import { AskToken } from "./parts/ask-token.tsx";
import { TopBar } from "./parts/top-bar.tsx";
import { TroubleBar } from "./parts/trouble-bar.tsx";
import { useLink, usePlayer } from "./session.ts";
import { TimelineBar } from "./timeline/timeline-bar.tsx";

const VIEW = { map: FleetMap, list: MachineList, diff: DiffView } as const;

/** The time machine. */
export function App() {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const trouble = usePlayer("trouble");
  const { view } = useLink();
  useShortcuts(() => setHelpOpen((isOpen) => !isOpen));
  if (trouble?.kind === "token") return <AskToken />;
  const Middle = VIEW[view];
  return (
    <div className={classes.page}>
      <TopBar onHelp={() => setHelpOpen(true)} />
      <TroubleBar />
      <TimelineBar />
      <div className={classes.columns}>
        <EventList />
        <main className={classes.middle}>
          <Middle />
        </main>
        <Card />
      </div>
      <Help isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </div>
  );
}
