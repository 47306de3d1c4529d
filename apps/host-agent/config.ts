import { readFile } from "node:fs/promises";
import { z } from "zod";
import { resourcesSchema, SUBJECT_TOKEN } from "#contracts";

const id = z.string().regex(SUBJECT_TOKEN);
const port = z.number().int().min(1).max(65_535);

/** The whole configuration of a host agent: one JSON file, parsed once. */
export const agentConfigSchema = z.strictObject({
  clusterId: id,
  hostId: id,
  region: id,
  /** First two bytes of its machines' IPv4 addresses, e.g. "10.213". Its own among all hosts on one box. */
  subnet: z.string().regex(/^\d{1,3}\.\d{1,3}$/, 'two bytes of an IPv4 address, as in "10.213"'),
  /** Absolute. Everything that outlives the agent is below it. */
  dataDir: z.string().startsWith("/"),
  /** The host's own leaf. */
  nats: z.strictObject({ servers: z.array(z.string().min(1)).min(1), seedFile: z.string().startsWith("/") }),
  /** HTTP of that leaf: "http://127.0.0.1:8222". */
  monitorUrl: z.url(),
  /** Health and metrics. Loopback: guests must not reach it. */
  listen: z.strictObject({ host: z.string(), port }),
  /** Serve although the leaf does not sync its writes: for a laptop. */
  allowUnsafe: z.boolean().default(false),
  /** What this host may promise, where that is not what the machine has: several hosts on one box. */
  capacity: resourcesSchema.optional(),
  maxMachines: z.number().int().min(1).max(65_000).default(1_000),
  /** Kept free for the log: below it nothing new is taken in (F34). */
  diskReserveMib: z.number().int().min(0).default(256),
  agentVersion: z.string().min(1).default("0.1.0"),
});

export type AgentConfig = z.infer<typeof agentConfigSchema>;

/** Reads and checks the file that `--config` names. Throws with one line that says what is wrong with it. */
export async function readConfig(argv: readonly string[]): Promise<AgentConfig> {
  const at = argv.indexOf("--config");
  const file = at < 0 ? undefined : argv[at + 1];
  if (file === undefined) throw new Error("usage: host-agent --config FILE");
  const parsed = agentConfigSchema.safeParse(JSON.parse(await readFile(file, "utf8")));
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`${file}: ${wrong.join("; ")}`);
}
