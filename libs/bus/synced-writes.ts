import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { RefusedError, refusal } from "#kernel";

/** What `/jsz` of a nats-server says about its JetStream; what is not so is left out. */
const jszSchema = z.object({
  server_id: z.string(),
  disabled: z.boolean().default(false),
  config: z.object({ sync_always: z.boolean().default(false) }),
});

/**
 * Refuses a server that acknowledges an append before it is on disk: a power cut would take back what was promised
 * (F17). Throws a refusal `unsupported` for such a server or one without JetStream, `unreachable` when its monitor does not answer.
 * `allowUnsafe` is for a laptop.
 */
export async function assertSyncedWrites(
  nc: NatsConnection,
  monitorUrl: string,
  options: { readonly allowUnsafe?: boolean } = {},
): Promise<void> {
  if (options.allowUnsafe === true) return;
  const jsz = await readJsz(monitorUrl);
  if (nc.info !== undefined && jsz.server_id !== nc.info.server_id) {
    throw unsafe(`${monitorUrl} is the monitor of another server than the one connected to`);
  }
  if (jsz.disabled) throw unsafe(`the NATS server at ${monitorUrl} runs without JetStream`);
  if (!jsz.config.sync_always) {
    throw unsafe(
      `the NATS server at ${monitorUrl} acknowledges writes before they are on disk: set jetstream sync_interval to always`,
    );
  }
}

async function readJsz(monitorUrl: string): Promise<z.infer<typeof jszSchema>> {
  try {
    const response = await fetch(`${monitorUrl}/jsz`, { signal: AbortSignal.timeout(2_000) });
    return jszSchema.parse(await response.json());
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new RefusedError(
      refusal("unreachable", `the NATS monitor at ${monitorUrl} does not answer: ${why}`),
    );
  }
}

function unsafe(message: string): RefusedError {
  return new RefusedError(refusal("unsupported", message));
}
