export type { Listen } from "./config-text.ts";
export * from "./credentials.ts";
export { HUB_DOMAIN, type HubSettings, hubConfig, type LinkedHost } from "./hub-config.ts";
export { type LeafSettings, leafConfig, linkSeedText } from "./leaf-config.ts";
export { DEFAULT_HUB_STREAMS, type HubStreams, sourceDelivery } from "./permissions.ts";
