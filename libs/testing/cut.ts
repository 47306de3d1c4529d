import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { toolPath } from "./tool.ts";

const run = promisify(execFile);

/**
 * Drops every packet from and to a TCP port of the loopback, without a word to either end, as a pulled cable does.
 * Connections stay open and silent until their own timeouts. Needs root. Returns the way to heal it.
 */
export async function cutPort(port: number): Promise<() => Promise<void>> {
  const nft = (...words: string[]) => run(toolPath("nft"), words);
  const table = `drover_cut_${process.pid}_${port}`;
  await nft("add", "table", "inet", table);
  await nft("add", "chain", "inet", table, "out", "{ type filter hook output priority -10; }");
  for (const side of ["sport", "dport"]) {
    await nft("add", "rule", "inet", table, "out", "tcp", side, String(port), "drop");
  }
  return async () => {
    await nft("delete", "table", "inet", table);
  };
}
