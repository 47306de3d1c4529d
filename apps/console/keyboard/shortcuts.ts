/** Keys of the page, for its help. */
export const SHORTCUTS: readonly (readonly [keys: string, does: string])[] = [
  ["space", "play or pause"],
  ["← →", "one event back or on"],
  ["shift ← →", "to the violation before or after"],
  ["l", "follow live, or stop"],
  ["a · b", "mark this moment as A or B"],
  ["d", "differences between A and B"],
  ["m", "map and list in turn"],
  ["j · k", "down and up: in the list of machines, else in the events"],
  ["alt + arrows", "on the map: select the next machine"],
  ["/", "search machines"],
  ["page ↑ ↓, home, end", "on the timeline: further"],
  ["shift + drag, wheel", "on the timeline: look closer; double click shows all"],
  ["?", "this"],
];
