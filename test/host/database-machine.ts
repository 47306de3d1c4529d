import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MachineConfig } from "#contracts";
import { type SmallImage, type TarEntry, toolPath } from "#testing";
import type { HostPlace } from "./host-lab.ts";

const DATABASE = "/data/db";

/**
 * Commits one row after the other to a SQLite database on the volume, and says so of each once it is committed. It goes on
 * where the database ends.
 */
const WRITES = [
  `sqlite3 ${DATABASE} "pragma journal_mode=wal; create table if not exists t(n integer primary key)" || exit 1`,
  `n=$(sqlite3 ${DATABASE} "select coalesce(max(n), 0) from t") || exit 1`,
  "rows() { echo 'pragma synchronous=full;'",
  `  while :; do n=$((n + 1)); echo "insert into t values ($n); select 'acked ' || $n;"; done; }`,
  `rows | sqlite3 -bail ${DATABASE}`,
].join("\n");

/** Debian's SQLite in busybox's company, with the libraries that it needs. */
export function databaseImage(): SmallImage {
  const program = toolPath("sqlite3");
  const libraries = execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
  const file = (path: string, from: string): TarEntry => {
    return { kind: "file", path, content: readFileSync(from), mode: 0o755 };
  };
  return {
    entrypoint: ["/bin/sh", "-c", WRITES],
    files: [
      file("bin/sqlite3", program),
      ...[...libraries].map(([, library]) => file(library!.slice(1), library!)),
    ],
  };
}

/** A terminal, so that SQLite speaks line by line, and its volume. */
export function databaseConfig(volumeId: string): Partial<MachineConfig> {
  return {
    init: { tty: true },
    mounts: [{ volume: volumeId, path: "/data" }],
    restart: { policy: "always" },
  };
}

/** What the machine has said that it committed, as far as its log still tells. */
export function ackedIn({ dataDir }: HostPlace, machineId: string): number[] {
  const folder = join(dataDir, "logs", machineId);
  if (!existsSync(folder)) return [];
  const text = readdirSync(folder).map((name) => textOf(join(folder, name)));
  return [...text.join("").matchAll(/ acked (\d+)/g)].map(([, row]) => Number(row));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // it has another name by now, or is no more
  }
}

/** All rows of a volume's database, while it is written. Throws when it is damaged. */
export function rowsIn(volumeFolder: string): Set<number> {
  const sql = "pragma integrity_check; select n from t order by n";
  const argv = ["-cmd", ".timeout 20000", join(volumeFolder, "db"), sql];
  const [verdict, ...rows] = execFileSync(toolPath("sqlite3"), argv, { encoding: "utf8" }).trim().split("\n");
  if (verdict !== "ok") throw new Error(`the database is damaged: ${verdict}`);
  return new Set(rows.filter((row) => row !== "").map(Number));
}
