import { Readable } from "node:stream";
import { type BusClient, type BusConnection, Lines } from "#bus";
import { type CallMeta, hostCalls, logLineSchema, subjects } from "#contracts";
import { type Ids, RefusedError } from "#kernel";
import type { Located } from "../fleet/fleet-reader.ts";

export interface LogRequest {
  readonly tail: number;
  readonly follow: boolean;
}

/** An agent stops sending unless it is asked again within 30 s: a reader that vanished must not be fed for ever. */
const RENEW_MS = 10_000;

/** Brings a machine's log lines from its host, over plain NATS, to whoever asked. */
export class StreamLogs {
  readonly #nc: BusConnection;
  readonly #bus: BusClient;
  readonly #ids: Ids;

  constructor(nc: BusConnection, bus: BusClient, ids: Ids) {
    this.#nc = nc;
    this.#bus = bus;
    this.#ids = ids;
  }

  /** Lines as NDJSON. Throws a refusal when the host does not answer. */
  async open(located: Located, wanted: LogRequest, meta: CallMeta): Promise<Readable> {
    const { hostId, machine } = located;
    const streamId = this.#ids.ulid();
    // Listening comes first: a line that is sent at once must not be missed.
    const lines = await Lines.open(this.#nc, subjects.logLines(hostId, streamId));
    const ask = () =>
      this.#bus.call(
        hostCalls.logs,
        subjects.hostCommand(hostId, "logs"),
        { machineId: machine.id, streamId, ...wanted },
        meta,
      );
    const asked = await ask();
    if (asked.kind === "refused") {
      lines.close();
      throw new RefusedError(asked.refusal);
    }
    const renewal = wanted.follow ? setInterval(() => void ask(), RENEW_MS) : undefined;
    const stream = Readable.from(ndjson(lines));
    stream.once("close", () => {
      clearInterval(renewal);
      lines.close();
    });
    return stream;
  }
}

async function* ndjson(lines: Lines): AsyncGenerator<string> {
  for await (const data of lines) {
    const line = logLineSchema.safeParse(data);
    if (!line.success) continue;
    if (line.data.kind === "end") return;
    yield `${JSON.stringify(line.data)}\n`;
  }
}
