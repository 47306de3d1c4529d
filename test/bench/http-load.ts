import type { Address } from "./served.ts";

/** How hard a server is asked: each connection sends its next request when it has the answer to the last. */
export interface HttpLoad {
  readonly connections: number;
  readonly seconds: number;
  readonly hostName: string;
}

/** What came of it. */
export interface HttpAnswers {
  readonly count: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What sends it. Throws when an answer was no 2xx or a connection broke: nothing else is worth measuring. */
export interface LoadGenerator {
  readonly name: string;
  run(at: Address, load: HttpLoad): Promise<HttpAnswers>;
}
