export * from "./credentials.ts";
export * from "./nats-config.ts";
export * from "./permissions.ts";
