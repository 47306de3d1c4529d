export { HealthServer, type ReadinessCheck } from "./health-server.ts";
export { makeLogger, type ServiceLogger } from "./logger.ts";
export { Metrics } from "./metrics.ts";
export { NestLogger } from "./nest-logger.ts";
export { runService, type StartedService } from "./run-service.ts";
export { listenSchema, natsSchema, readSettings } from "./settings.ts";
