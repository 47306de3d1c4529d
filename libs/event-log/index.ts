export { fromLive, liveMessage } from "./live-message.ts";
export type { CommandMeta, Recorded } from "./recorded.ts";
export { type ArrivedMessage, storedMessage } from "./stored-message.ts";
export { CONTROL, FLEET, hostStream, parseHostStream } from "./stream-names.ts";
