export * from "./nats-server.ts";
export * from "./topology.ts";
