import { readFile } from "node:fs/promises";
import { type BusConnection, connectBus } from "#bus";
import { RefusedError, refusal } from "#kernel";
import { readCluster } from "./cluster/cluster-file.ts";
import type { CliContext, CommonFlags } from "./context.ts";
import { addressOf } from "./settings.ts";

const CONNECT_MS = 5_000;

/** A connection to the hub of the cluster in the data directory, as the user `cli`, who may read and nothing else. */
export async function withHub<T>(
  context: CliContext,
  flags: CommonFlags,
  use: (nc: BusConnection) => Promise<T>,
): Promise<T> {
  const layout = context.layout(flags);
  const cluster = await readCluster(layout);
  if (cluster === undefined) {
    throw new RefusedError(
      refusal("not_found", `there is no cluster in ${layout.root}: name its folder with --data`),
    );
  }
  const seed = (await readFile(layout.seedFile("cli"), "utf8")).trim();
  const server = `nats://${addressOf(cluster.nats)}`;
  const settings = { servers: [server], user: "cli", seed, name: "cli" };
  const nc = await connectBus(settings, AbortSignal.timeout(CONNECT_MS)).catch((error: unknown) => {
    if (error instanceof RefusedError) throw error;
    throw new RefusedError(
      refusal("unreachable", `no hub answers at ${server}: start it with \`drover up\``),
    );
  });
  try {
    return await use(nc);
  } finally {
    await nc.close();
  }
}
