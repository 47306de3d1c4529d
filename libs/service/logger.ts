import { type Logger, pino, stdTimeFunctions } from "pino";

export type ServiceLogger = Logger;

/** Where secrets could stand in what is logged. Plain `env` belongs to users: it is nobody's business in a log. */
const REDACTED = [
  "*.seed",
  "*.token",
  "*.secret",
  "*.env",
  "*.*.env",
  "*.authorization",
  "*.headers.authorization",
  "*.headers.cookie",
];

/** Structured JSON on stdout, one line per entry. `service` names the process. */
export function makeLogger(service: string): ServiceLogger {
  return pino({
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: REDACTED, censor: "[redacted]" },
  });
}
