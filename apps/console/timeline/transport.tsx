import { Select } from "@mantine/core";
import { durationText } from "../history/moment.ts";
import { TEMPOS, tempoText } from "../history/tempo.ts";
import { Tool } from "../parts/tool.tsx";
import { useLink, usePlayer, useSession } from "../session.ts";
import { jumpToViolation } from "./jump-to-violation.ts";
import classes from "./transport.module.css";
import { useAlmanac, useRange } from "./use-range.ts";
import { ZoomTools } from "./zoom-tools.tsx";

/** Play, step, follow, and how fast. */
export function Transport() {
  const session = useSession();
  const playing = usePlayer("playing");
  const live = usePlayer("live");
  const tempo = usePlayer("tempo");
  const { violations, checked } = useAlmanac();
  const { zoom } = useLink();
  const shown = useRange();
  const hasNone = violations.length === 0;
  return (
    <div className={classes.row}>
      <Tool
        icon="previousFlag"
        label="Previous violation"
        shortcut="shift ←"
        isDisabled={hasNone}
        onClick={() => jumpToViolation(session, -1)}
      />
      <Tool icon="previous" label="Previous event" shortcut="←" onClick={() => session.stepBy(-1)} />
      <Tool
        icon={playing ? "pause" : "play"}
        label={playing ? "Pause" : "Play"}
        shortcut="space"
        onClick={() => session.playback.toggle()}
      />
      <Tool icon="next" label="Next event" shortcut="→" onClick={() => session.stepBy(1)} />
      <Tool
        icon="nextFlag"
        label="Next violation"
        shortcut="shift →"
        isDisabled={hasNone}
        onClick={() => jumpToViolation(session, 1)}
      />
      <Tool icon="live" label="Follow live" shortcut="l" isOn={live} onClick={() => session.toggleLive()} />
      <Select
        size="xs"
        w={128}
        aria-label="Speed"
        allowDeselect={false}
        comboboxProps={{ width: 150 }}
        data={[
          { group: "Time", items: TEMPOS.filter(({ kind }) => kind === "time").map(tempoText) },
          { group: "Events", items: TEMPOS.filter(({ kind }) => kind === "events").map(tempoText) },
        ]}
        value={tempoText(tempo)}
        onChange={(text) => {
          const chosen = TEMPOS.find((each) => tempoText(each) === text);
          if (chosen !== undefined) session.player.setTempo(chosen);
        }}
      />
      <Note />
      <span className={classes.right}>
        {hasNone ? "" : `${violations.length} ${violations.length === 1 ? "violation" : "violations"} · `}
        {checked ? "" : "checking… · "}
        {shown === undefined ? "" : durationText(shown.range.toMs - shown.range.fromMs)}
        {zoom === undefined ? "" : " shown"}
      </span>
      {shown === undefined ? null : <ZoomTools {...shown} />}
    </div>
  );
}

/** What goes on, where it is not seen. */
function Note() {
  const live = usePlayer("live");
  const buffering = usePlayer("buffering");
  const seeking = usePlayer("seeking");
  const text = seeking ? "going there…" : buffering ? "fetching…" : live ? "live" : "";
  return <span className={classes.note}>{text}</span>;
}
