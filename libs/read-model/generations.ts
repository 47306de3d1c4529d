import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";

/** Drizzle on one generation's tables. */
export type Database = PostgresJsDatabase;
export type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];

/** An open generation. */
export interface OpenGeneration {
  readonly number: number;
  readonly db: Database;
  /** The schema that its tables are in. */
  readonly schema: string;
  /** Ends its connections, also where nobody answers any more. Never rejects. */
  close(): Promise<void>;
}

/**
 * Where generations of the read model stand, each apart from the others. What is wrong with the place itself comes out
 * as whatever its driver throws.
 */
export abstract class Generations {
  /** What people call it. Holds no secret. */
  abstract readonly name: string;
  /** Numbers of all there are, the newest first. */
  abstract list(): Promise<number[]>;
  /** Makes a new one, without tables. Throws when somebody else has just made one of that number. */
  abstract make(number: number): Promise<void>;
  abstract open(number: number): Promise<OpenGeneration>;
  /** Removes one with all that it holds; leaves one that another process uses. */
  abstract remove(number: number): Promise<void>;
  /** Gives the place free. Never rejects. */
  abstract close(): Promise<void>;
}
