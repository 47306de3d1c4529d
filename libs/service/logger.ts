import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";

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

/** More than this waits in memory only while nobody reads; what comes then is dropped, never waited for (F44). */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

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

/** Written behind the event loop's back; flushed when the process exits. */
function stdout(): DestinationStream {
  const stream = destination({ fd: 1, sync: false, maxLength: MAX_BUFFERED_BYTES });
  // A full disk or a reader that went away: the log is what suffers, nothing else.
  stream.on("error", () => {});
  return stream;
}
