import { Tabs } from "@mantine/core";
import { splitEntity, textOf } from "../history/facts.ts";
import { TABS } from "../link/deep-link.ts";
import { useAnswer } from "../lists/use-answer.ts";
import { useThrottledPlayer } from "../lists/use-throttled.ts";
import { useLink, useSession } from "../session.ts";
import { WhyPanel } from "../why/why-panel.tsx";
import classes from "./card.module.css";
import { CardHead } from "./card-head.tsx";
import { ExportButton } from "./export-button.tsx";
import { FactsTable } from "./facts-table.tsx";
import { RecentEvents } from "./recent-events.tsx";
import { StuckBox } from "./stuck-box.tsx";
import { ViolationsBox } from "./violations-box.tsx";

const NAMES = { facts: "Facts", events: "Events", why: "Why" } as const;
const EXPLAINED = new Set(["machine", "volume", "host"]);

/** Everything about what is selected, at the moment shown. */
export function Card() {
  const { link } = useSession();
  const { selection, tab } = useLink();
  if (selection === undefined) {
    return (
      <aside className={classes.card} aria-label="Selection">
        <div className={classes.none}>
          <p>Select a machine or a host on the map, in the list, or by an event.</p>
          <ViolationsBox />
        </div>
      </aside>
    );
  }
  return (
    <aside className={classes.card} aria-label="Selection">
      <Selected
        key={selection}
        selection={selection}
        tab={tab}
        onTab={(chosen) => link.replace({ tab: TABS.find((each) => each === chosen) ?? "facts" })}
      />
    </aside>
  );
}

interface SelectedProps {
  readonly selection: string;
  readonly tab: (typeof TABS)[number];
  readonly onTab: (tab: string | null) => void;
}

function Selected({ selection, tab, onTab }: SelectedProps) {
  const { api, player } = useSession();
  const { playing, moment, empty } = useThrottledPlayer();
  const { kind, id } = splitEntity(selection);
  const facts = player.scene.facts(selection);
  const rests = !playing && !empty;
  const key = (what: string) => (rests ? `${what} ${selection} ${moment}` : undefined);
  const entity = useAnswer(key("entity"), selection, (signal) => api.entity(selection, moment, signal));
  const isExplained = EXPLAINED.has(kind);
  const why = useAnswer(isExplained ? key("why") : undefined, selection, (signal) =>
    api.why(kind, id, moment, signal),
  );
  return (
    <>
      <CardHead kind={kind} id={id} facts={facts} />
      {rests ? <StuckBox waiting={why.value?.stuck ?? []} atMs={player.snapshot().atMs} /> : null}
      <Tabs
        value={tab}
        onChange={onTab}
        color="teal"
        classNames={{ root: classes.tabs ?? "", panel: classes.panel ?? "" }}
      >
        <Tabs.List className={classes.tabList ?? ""}>
          {TABS.filter((each) => each !== "why" || isExplained).map((each) => (
            <Tabs.Tab key={each} value={each}>
              {NAMES[each]}
            </Tabs.Tab>
          ))}
          <ExportButton
            wish={() => ({ entity: selection, b: player.snapshot().moment })}
            shows={`how ${facts === undefined ? id : textOf(facts, "name") || id} came to be as it is at this moment`}
          />
        </Tabs.List>
        <Tabs.Panel value="facts">
          <ViolationsBox entity={selection} />
          <FactsTable entity={selection} live={facts} answer={entity} />
        </Tabs.Panel>
        <Tabs.Panel value="events">
          {tab === "events" ? <RecentEvents entity={selection} /> : null}
        </Tabs.Panel>
        <Tabs.Panel value="why">
          <WhyPanel answer={why} isPlaying={playing} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
