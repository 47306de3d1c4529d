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

  /** Nest ends with the context, and puts a stack before it. */
  #write(level: "trace" | "debug" | "warn" | "error" | "fatal", message: unknown, more: unknown[]): void {
    const [stack, context] = more.length > 1 ? more : [undefined, more[0]];
    const fields = {
      ...(typeof context === "string" ? { context } : {}),
      ...(typeof stack === "string" ? { stack } : {}),
    };
    if (message instanceof Error) this.#logger[level]({ ...fields, err: message }, message.message);
    else if (typeof message === "object" && message !== null) this.#logger[level]({ ...fields, ...message });
    else this.#logger[level](fields, String(message));
  }
}
