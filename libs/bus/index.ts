export { Answers, type CallContext, type Handler } from "./answers.ts";
export { askOwner } from "./ask-owner.ts";
export { BusClient } from "./bus-client.ts";
export { BusServer, type BusServerSettings } from "./bus-server.ts";
export { assertBusAnswers, type BusConnection, type BusSettings, connectBus } from "./connect.ts";
export { type Insistence, insist, isUnreachable } from "./insist.ts";
export { Lines } from "./lines.ts";
export { Slots } from "./slots.ts";
export { assertSyncedWrites } from "./synced-writes.ts";
