import { useEffect } from "react";
import { flushSync } from "react-dom";
import { markNow } from "../diff/marks.ts";
import { selectNeighbour } from "../machines/select-neighbour.ts";
import { type Session, useSession } from "../session.ts";
import { jumpToViolation } from "../timeline/jump-to-violation.ts";

type Act = (session: Session, event: KeyboardEvent) => void;

const ACTS: Readonly<Record<string, Act>> = {
  " ": ({ playback }) => playback.toggle(),
  ArrowRight: (session, { shiftKey }) => (shiftKey ? jumpToViolation(session, 1) : session.stepBy(1)),
  ArrowLeft: (session, { shiftKey }) => (shiftKey ? jumpToViolation(session, -1) : session.stepBy(-1)),
  l: (session) => session.toggleLive(),
  a: (session) => markNow(session, "a"),
  b: (session) => markNow(session, "b"),
  d: ({ link }) => link.push({ view: link.snapshot().view === "diff" ? "map" : "diff" }),
  m: ({ link }) => link.push({ view: link.snapshot().view === "map" ? "list" : "map" }),
  j: (session) => moveInList(session, 1),
  k: (session) => moveInList(session, -1),
  "/": ({ link }) => {
    // At once: the next key is the first letter.
    flushSync(() => link.push({ view: "list" }));
    document.getElementById("search")?.focus();
  },
};

/** Keys that mean the same everywhere on the page, but for where somebody writes or chooses. */
export function useShortcuts(onHelp: () => void): void {
  const session = useSession();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      const act = event.key === "?" ? onHelp : ACTS[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act(session, event);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [session, onHelp]);
}

function moveInList(session: Session, by: 1 | -1): void {
  if (session.link.snapshot().view === "list") selectNeighbour(session, by);
  else session.stepBy(by);
}

/** Whether the key belongs to a field, a menu or a dialog; a button has its space. */
function isTyping({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("input:not([type=radio]), textarea, select, [role=listbox], [role=dialog]")) return true;
  return key === " " && target.closest("button, a, summary") !== null;
}
