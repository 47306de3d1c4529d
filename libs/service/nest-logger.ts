import type { LoggerService } from "@nestjs/common";
import type { ServiceLogger } from "./logger.ts";

/** Nest's own messages in the same log as everything else. Its start-up chatter is debug. */
export class NestLogger implements LoggerService {
  readonly #logger: ServiceLogger;

  constructor(logger: ServiceLogger) {
    this.#logger = logger;
  }

  log(message: unknown, ...more: unknown[]): void {
    this.#write("debug", message, more);
  }
  error(message: unknown, ...more: unknown[]): void {
    this.#write("error", message, more);
  }
  warn(message: unknown, ...more: unknown[]): void {
    this.#write("warn", message, more);
  }
  debug(message: unknown, ...more: unknown[]): void {
    this.#write("debug", message, more);
  }
  verbose(message: unknown, ...more: unknown[]): void {
    this.#write("trace", message, more);
  }
  fatal(message: unknown, ...more: unknown[]): void {
    this.#write("fatal", message, more);
  }

  #write(level: "trace" | "debug" | "warn" | "error" | "fatal", message: unknown, more: unknown[]): void {
    const context = more.at(-1);
    const where = typeof context === "string" ? { context } : {};
    if (typeof message === "object" && message !== null) this.#logger[level]({ ...where, ...message });
    else this.#logger[level](where, String(message));
  }
}
