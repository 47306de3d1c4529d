export { HealthServer, type ReadinessCheck } from "./health-server.ts";
export { makeLogger, type ServiceLogger } from "./logger.ts";
export { Metrics } from "./metrics.ts";
export { NestLogger } from "./nest-logger.ts";
export { runService } from "./run-service.ts";
export { listenSchema, natsSchema, readSettings } from "./settings.ts";
