export { applyAndCompare, applyAndTouch, type Change, changesOf, type Effect } from "./changes.ts";
export {
  ENTITY_KINDS,
  type Entity,
  type EntityKind,
  formatEntity,
  hostIdOf,
  mayReplaceLog,
  parseEntity,
  touchedBy,
} from "./entity.ts";
export type { Extent, ExtentBucket } from "./extent.ts";
export { type Fact, type Facts, factsOf } from "./facts.ts";
export { type FollowSettings, followEvents } from "./follow-events.ts";
export { History, type OnUnreadable, type Stretch } from "./history.ts";
export { HubHistory } from "./hub-history.ts";
export { ListedHistory, matcher } from "./listed-history.ts";
export { type OpenedTimeline, type OpenTimelineSettings, openTimeline } from "./open-timeline.ts";
export { isFailure, summaryOf } from "./summary.ts";
export { Timeline, type TimelineSettings } from "./timeline.ts";
export { World } from "./world.ts";
