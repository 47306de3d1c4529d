import { readFile } from "node:fs/promises";
import { z } from "zod";
import { firstIssue } from "#contracts";
import { RefusedError, refusal } from "#kernel";

/** An address that a process listens on. */
export const listenSchema = z.strictObject({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535),
});

/** How a process reaches NATS: addresses, and the file that holds its nkey seed. */
export const natsSchema = z.strictObject({
  servers: z.array(z.string().min(1)).min(1),
  seedFile: z.string().min(1),
});

/**
 * Reads the settings file that `--config FILE` names: once, in `main`. Throws a refusal whose one line names the
 * file and the first wrong field.
 */
export async function readSettings<S extends z.ZodType>(
  argv: readonly string[],
  schema: S,
): Promise<z.infer<S>> {
  const file = argv[argv.indexOf("--config") + 1];
  if (!argv.includes("--config") || file === undefined)
    throw invalid("name the settings file: --config FILE");
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw invalid(`${file} cannot be read: ${error.message}`);
  });
  const checked = schema.safeParse(parseJson(file, text));
  if (checked.success) return checked.data;
  throw invalid(`${file}: ${firstIssue(checked.error)}`);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`${file} is not JSON: ${(error as Error).message}`);
  }
}

function invalid(message: string): RefusedError {
  return new RefusedError(refusal("invalid", message));
}
