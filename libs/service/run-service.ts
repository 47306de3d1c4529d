import { RefusedError } from "#kernel";
import type { ServiceLogger } from "./logger.ts";

/** A service that started. */
export interface StartedService {
  /** Ends it cleanly. */
  stop(): Promise<void>;
}

/** A clean stop takes no longer than this. */
const STOP_PATIENCE_MS = 5_000;

/**
 * Starts a service and stays until a signal ends it. A refusal at start is one line on stderr; whatever nobody caught
 * later is logged and ends the process: its supervisor starts it again from what is written down.
 */
export async function runService(logger: ServiceLogger, start: () => Promise<StartedService>): Promise<void> {
  process.on("uncaughtException", (error) => die(logger, "uncaught exception", error));
  process.on("unhandledRejection", (reason) => die(logger, "unhandled rejection", reason));
  let service: StartedService;
  try {
    service = await start();
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    logger.fatal({ code: error.refusal.code }, error.message);
    process.stderr.write(`drover: ${error.message}\n`);
    process.exit(1);
  }
  const end = (signal: NodeJS.Signals) => {
    logger.info({ signal }, "stopping");
    setTimeout(() => process.exit(1), STOP_PATIENCE_MS).unref();
    service.stop().then(
      () => process.exit(0),
      (error) => die(logger, "stop failed", error),
    );
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
}

function die(logger: ServiceLogger, what: string, error: unknown): void {
  logger.fatal({ err: error }, what);
  process.exit(1);
}
