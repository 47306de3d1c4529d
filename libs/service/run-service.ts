import { RefusedError } from "#kernel";
import type { ServiceLogger } from "./logger.ts";

/** A service that started. */
export interface StartedService {
  /** Ends it cleanly. */
  stop(): Promise<void>;
}

/** As much of `process` as a service needs to live and die. */
export interface HostProcess {
  on(event: string, listener: (what: unknown) => void): unknown;
  exit(code: number): unknown;
  readonly stderr: { write(text: string): unknown };
}

/** A clean stop takes no longer than this. */
const STOP_PATIENCE_MS = 5_000;

/**
 * Starts a service and stays until a signal ends it. A refusal at start is one line on stderr; whatever nobody caught
 * later is logged and ends the process: its supervisor starts it again from what is written down.
 */
export async function runService(
  logger: ServiceLogger,
  start: () => Promise<StartedService>,
  host: HostProcess = process,
): Promise<void> {
  let service: StartedService | undefined;
  let isEnding = false;
  const end = (signal: unknown) => {
    logger.info({ signal }, "stopping");
    // Told twice, or told before there was anything to end cleanly: what is written down is enough to start again.
    if (isEnding || service === undefined) {
      host.exit(isEnding ? 1 : 0);
      return;
    }
    isEnding = true;
    const patience = setTimeout(() => die(host, logger, "stop took too long"), STOP_PATIENCE_MS).unref();
    service.stop().then(
      () => {
        clearTimeout(patience);
        host.exit(0);
      },
      (error) => die(host, logger, "stop failed", error),
    );
  };
  host.on("uncaughtException", (error) => die(host, logger, "uncaught exception", error));
  host.on("unhandledRejection", (reason) => die(host, logger, "unhandled rejection", reason));
  host.on("SIGTERM", end);
  host.on("SIGINT", end);
  try {
    service = await start();
  } catch (error) {
    if (!(error instanceof RefusedError)) return die(host, logger, "start failed", error);
    logger.fatal({ code: error.refusal.code }, error.message);
    host.stderr.write(`drover: ${error.message}\n`);
    host.exit(1);
  }
}

function die(host: HostProcess, logger: ServiceLogger, what: string, error?: unknown): void {
  logger.fatal({ err: error }, what);
  host.exit(1);
}
