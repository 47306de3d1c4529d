import { createHash } from "node:crypto";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres, { type Sql } from "postgres";
import { Generations, type OpenGeneration } from "./generations.ts";

const CONNECTIONS = 4;
const CONNECT_TIMEOUT_S = 5;
/** The server ends what runs longer: a query that we gave up must not hold locks for ever. */
const STATEMENT_TIMEOUT_MS = 60_000;

/** Generations as schemas of a Postgres database, `drover_<cluster>_<number>`: several clusters may share one. */
export class PostgresGenerations extends Generations {
  override readonly name = "Postgres";
  readonly #url: string;
  readonly #prefix: string;
  readonly #sql: Sql;

  constructor(url: string, clusterId: string) {
    super();
    this.#url = url;
    this.#prefix = `drover_${clusterId}_`;
    this.#sql = connect(url, 1);
  }

  override async list(): Promise<number[]> {
    const found = await this.#sql<{ nspname: string }[]>`
      select nspname from pg_namespace where starts_with(nspname, ${this.#prefix})`;
    const numbers = found.map(({ nspname }) => nspname.slice(this.#prefix.length));
    return numbers
      .filter((number) => /^\d{1,9}$/.test(number))
      .map(Number)
      .sort((a, b) => b - a);
  }

  override async make(number: number): Promise<void> {
    await this.#sql`create schema ${this.#sql(this.#schema(number))}`;
  }

  override async open(number: number): Promise<OpenGeneration> {
    const schema = this.#schema(number);
    const sql = connect(this.#url, CONNECTIONS, schema);
    // Held by one connection for its life: who removes generations sees that this one is in use.
    const lasting = connect(this.#url, 1);
    const close = async () => {
      await Promise.all([sql, lasting].map((each) => each.end({ timeout: 0 }).catch(() => undefined)));
    };
    try {
      await lasting`select pg_advisory_lock_shared(${lockOf(schema)})`;
    } catch (error) {
      await close();
      throw error;
    }
    return { number, schema, db: drizzle(sql), close };
  }

  override async remove(number: number): Promise<void> {
    const schema = this.#schema(number);
    await this.#sql.begin(async (sql) => {
      const [free] = await sql`select pg_try_advisory_xact_lock(${lockOf(schema)}) as "isFree"`;
      if (free?.isFree === true) await sql`drop schema if exists ${sql(schema)} cascade`;
    });
  }

  override async close(): Promise<void> {
    await this.#sql.end({ timeout: 0 }).catch(() => undefined);
  }

  #schema(number: number): string {
    return `${this.#prefix}${number}`;
  }
}

/** What is lost with a crash of Postgres is folded again from the logs: nobody waits for its disk. */
function connect(url: string, max: number, schema?: string): Sql {
  return postgres(url, {
    max,
    connect_timeout: CONNECT_TIMEOUT_S,
    max_lifetime: null,
    fetch_types: false,
    onnotice: () => undefined,
    connection: {
      application_name: "drover",
      synchronous_commit: "off",
      statement_timeout: STATEMENT_TIMEOUT_MS,
      ...(schema === undefined ? {} : { search_path: `"${schema}"` }),
    },
  });
}

/** Advisory locks have 64-bit names, all clusters' and all programs' together. */
function lockOf(schema: string): string {
  return createHash("sha256").update(`drover ${schema}`).digest().readBigInt64BE().toString();
}
