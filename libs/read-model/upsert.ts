import { getTableColumns, type InferInsertModel, type SQL, sql } from "drizzle-orm";
import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import type { Transaction } from "./generations.ts";

/** Rows per statement: they travel as one text. */
const ROWS = 500;

/**
 * Writes rows, each in the place of the one that has its key. They go as JSON in one parameter: with one for every value
 * the driver and the server's parser took ten times as long.
 */
export async function upsert<T extends PgTable>(
  tx: Transaction,
  table: T,
  rows: readonly InferInsertModel<T>[],
): Promise<void> {
  const columns = Object.entries(getTableColumns(table));
  const names = list(columns.map(([, { name }]) => name));
  for (let from = 0; from < rows.length; from += ROWS) {
    const chunk = rows.slice(from, from + ROWS) as readonly Record<string, unknown>[];
    const named = chunk.map((row) => Object.fromEntries(columns.map(([key, { name }]) => [name, row[key]])));
    await tx.execute(sql`
      insert into ${table} (${names})
      select ${names} from json_populate_recordset(null::${table}, ${JSON.stringify(named)}::json)
      on conflict ${resolution(table)}`);
  }
}

function resolution(table: PgTable): SQL {
  const { columns, primaryKeys } = getTableConfig(table);
  const key = (primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary)).map(({ name }) => name);
  const others = columns.map(({ name }) => name).filter((name) => !key.includes(name));
  if (others.length === 0) return sql`(${list(key)}) do nothing`;
  return sql`(${list(key)}) do update set (${list(others)}) = row(${list(others, sql`excluded.`)})`;
}

/** Names as a list, each after `prefix`. */
function list(names: readonly string[], prefix: SQL = sql``): SQL {
  return sql.join(
    names.map((name) => sql`${prefix}${sql.identifier(name)}`),
    sql`, `,
  );
}
