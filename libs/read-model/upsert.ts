import { getTableColumns, type InferInsertModel, type SQL, sql } from "drizzle-orm";
import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import type { Transaction } from "./generations.ts";

/** Rows per statement: with wide rows more make the driver slower, and a statement takes 65,535 parameters at the most. */
const ROWS = 250;

/** Writes rows, each in the place of the one that has its key. */
export async function upsert<T extends PgTable>(
  tx: Transaction,
  table: T,
  rows: readonly InferInsertModel<T>[],
): Promise<void> {
  const { columns, primaryKeys } = getTableConfig(table);
  const target = primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary);
  const set: Record<string, SQL> = {};
  for (const [key, { name }] of Object.entries(getTableColumns(table))) {
    if (!target.some((column) => column.name === name)) set[key] = sql`excluded.${sql.identifier(name)}`;
  }
  for (let from = 0; from < rows.length; from += ROWS) {
    const insert = tx.insert(table).values(rows.slice(from, from + ROWS) as InferInsertModel<T>[]);
    await (Object.keys(set).length === 0
      ? insert.onConflictDoNothing()
      : insert.onConflictDoUpdate({ target, set: set as never }));
  }
}
