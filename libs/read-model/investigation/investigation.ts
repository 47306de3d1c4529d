import { getTableColumns } from "drizzle-orm";
import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import postgres from "postgres";
import { RefusedError, refusal } from "#kernel";
import { overWire, PgliteWire } from "../pglite-wire.ts";
import { MemoryImage } from "./memory-image.ts";
import { INVESTIGATION_TABLES, type InvestigationTable, type RowOf } from "./tables.ts";

/** Rows per statement: they travel as one text. */
const CHUNK = 500;
/** Rows of an answer in memory at one time. */
const PAGE = 500;
const DECLARE = "declare answer no scroll cursor for ";

/** Some rows of an answer, each value in the order of the columns. */
export interface AnswerPage {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

type Types = {
  numbers: postgres.PostgresType<number>;
  times: postgres.PostgresType<string>;
};

/** A Postgres in memory, for one question. It has the tables of an investigation, empty at first. */
export class Investigation {
  readonly #wire: PgliteWire;
  readonly #sql: postgres.Sql<{ numbers: number; times: string }>;

  /** `imagePath`: where an empty database is kept between commands: making one takes seconds. */
  static async open(imagePath: string): Promise<Investigation> {
    const wire = await new MemoryImage(imagePath).open();
    const investigation = new Investigation(wire);
    for (const table of Object.values(INVESTIGATION_TABLES)) {
      await investigation.#sql.unsafe(tableText(table));
    }
    return investigation;
  }

  private constructor(wire: PgliteWire) {
    this.#wire = wire;
    // Numbers beyond 2^53 are no sequences or sizes of ours: a sum of them may be shown rounded.
    const numbers = { to: 20, from: [20, 1700], serialize: String, parse: (text: string) => Number(text) };
    const times = { to: 1184, from: [1082, 1114, 1184], serialize: String, parse: isoTime };
    this.#sql = postgres<Types>({ ...overWire(wire), types: { numbers, times } });
  }

  /** Puts rows in. */
  async load<T extends InvestigationTable>(name: T, rows: readonly RowOf<T>[]): Promise<void> {
    const table: PgTable = INVESTIGATION_TABLES[name];
    const columns = Object.entries(getTableColumns(table));
    for (let from = 0; from < rows.length; from += CHUNK) {
      const chunk = rows.slice(from, from + CHUNK) as readonly Record<string, unknown>[];
      const named = chunk.map((row) =>
        Object.fromEntries(columns.map(([key, column]) => [column.name, row[key]])),
      );
      const text = storable(JSON.stringify(named));
      const insert = `insert into "${name}" select * from jsonb_populate_recordset(null::"${name}", $1::text::jsonb)`;
      await this.#sql.unsafe(insert, [text]);
    }
  }

  /**
   * Asks one question, which can only read. Rows come in pages. Throws a refusal that says what is wrong with the question.
   */
  async *ask(question: string): AsyncGenerator<AnswerPage> {
    try {
      await this.#sql.unsafe("begin read only");
      if (!/^\s*(\(|select\b|with\b|values\b|table\b)/i.test(withoutComments(question))) {
        yield pageOf(await this.#whole(question));
        return;
      }
      await this.#whole(`${DECLARE}${question}`);
      for (;;) {
        const rows = await this.#whole(`fetch ${PAGE} from answer`);
        yield pageOf(rows);
        if (rows.length < PAGE) return;
      }
    } catch (error) {
      if (!(error instanceof postgres.PostgresError)) throw error;
      throw new RefusedError(refusal("invalid", lineOf(error)));
    } finally {
      await this.#sql.unsafe("rollback").catch(() => undefined);
    }
  }

  /** Ends it, whatever it is at. */
  async close(): Promise<void> {
    if (this.#wire.destroyed) return;
    const closed = new Promise<void>((done) => this.#wire.once("close", () => done()));
    this.#wire.destroy();
    await closed;
    await this.#sql.end({ timeout: 0 }).catch(() => undefined);
  }

  /** In the protocol that takes one statement and no second; not kept, as what `fetch` gives has other columns each time. */
  #whole(statement: string) {
    const options = { prepare: false, simple: false } as postgres.UnsafeQueryOptions;
    return this.#sql.unsafe(statement, [], options).values();
  }
}

type Rows = Awaited<ReturnType<ReturnType<postgres.Sql["unsafe"]>["values"]>>;

function pageOf(rows: Rows): AnswerPage {
  return { columns: (rows.columns ?? []).map(({ name }) => name), rows: [...rows] as readonly unknown[][] };
}

/** The tables and their columns as people read them. */
export function tablesText(): string {
  return Object.values(INVESTIGATION_TABLES)
    .map((table) => {
      const { name, columns } = getTableConfig(table);
      return `${name}\n${columns.map((column) => `  ${column.name.padEnd(20)}${column.getSQLType()}`).join("\n")}`;
    })
    .join("\n\n");
}

/** The tables and the types of their columns. */
export function tablesJson(): Record<string, Record<string, string>> {
  return Object.fromEntries(
    Object.values(INVESTIGATION_TABLES).map((table) => {
      const { name, columns } = getTableConfig(table);
      return [name, Object.fromEntries(columns.map((column) => [column.name, column.getSQLType()]))];
    }),
  );
}

function tableText(table: PgTable): string {
  const { name, columns } = getTableConfig(table);
  const lines = columns.map(
    (column) => `"${column.name}" ${column.getSQLType()}${column.notNull ? " not null" : ""}`,
  );
  return `create table "${name}" (${lines.join(", ")})`;
}

/** Postgres's "2026-11-24 12:00:00.5+00" as ISO 8601; dates stay as they are. */
function isoTime(text: string): string {
  const at = text.includes(":") ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? text : new Date(at).toISOString();
}

/** Postgres takes any character in JSON but NUL and halves of surrogate pairs. */
function storable(json: string): string {
  return json.replace(/(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi, "$1\\ufffd");
}

function withoutComments(question: string): string {
  return question.replace(/--[^\n]*(\n|$)|\/\*[\s\S]*?\*\//g, " ");
}

function lineOf({ message, hint, position, query }: postgres.PostgresError & { query?: string }): string {
  const at = Number(position) - (query?.startsWith(DECLARE) ? DECLARE.length : 0);
  const where = position === undefined ? "" : ` (character ${at})`;
  return `SQL: ${message.replaceAll("\n", " ")}${hint === undefined ? "" : `: ${hint}`}${where}`;
}
