import { fileURLToPath } from "node:url";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { FLEET_FOLD_VERSION } from "#fleet";

/** Grows when the same events give other rows although neither the tables nor the fleet's fold changed. */
const ROWS_VERSION = 1;

/** Made by `npm run migrations`; the build puts them beside this file. */
export const MIGRATIONS = fileURLToPath(new URL("./migrations", import.meta.url));

/**
 * What the rows of a generation look like and mean: the last migration, the fold, and this code. A generation of another
 * shape belongs to another version of Drover, which may be at work beside this one (F05).
 */
export function currentShape(): string {
  const last = readMigrationFiles({ migrationsFolder: MIGRATIONS }).at(-1);
  return [last?.folderMillis ?? 0, last?.hash.slice(0, 12) ?? "", FLEET_FOLD_VERSION, ROWS_VERSION].join("-");
}

/** Whether a shape came after another, as far as its parts tell. */
export function isNewer(shape: string, than: string): boolean {
  const [a, b] = [partsOf(shape), partsOf(than)];
  const first = a.findIndex((part, index) => part !== b[index]);
  return first >= 0 && (a[first] ?? 0) > (b[first] ?? 0);
}

function partsOf(shape: string): number[] {
  const [migration, , fold, rows] = shape.split("-").map(Number);
  return [migration ?? 0, fold ?? 0, rows ?? 0];
}
