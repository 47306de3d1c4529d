import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import { LineSink } from "./line-sink.ts";

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

/** What a secret looks like wherever it stands, in a message or a stack: an nkey seed, a bearer token. */
const SECRET = /\bS[ACNOUX][A-Z2-7]{56}\b|(?<=\bBearer )[\w.~+/-]+/g;

/** Structured JSON, one line per entry, on stdout unless told. `service` names the process. Holds no secret. */
export function makeLogger(service: string, to: DestinationStream = stdout()): ServiceLogger {
  return pino(
    {
      base: { service },
      timestamp: stdTimeFunctions.isoTime,
      redact: { paths: REDACTED, censor: "[redacted]" },
      hooks: { streamWrite: (line) => line.replace(SECRET, "[redacted]") },
    },
    to,
  );
}

function stdout(): LineSink {
  const sink = new LineSink(1);
  process.once("exit", () => sink.flushSync());
  return sink;
}
