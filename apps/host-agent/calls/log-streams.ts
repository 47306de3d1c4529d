import { type LogLine, subjects } from "#contracts";
import { type Clock, RefusedError, refusal } from "#kernel";
import type { MachineLogLine, MachineLogs } from "#runtime";

/** What log lines leave through: plain NATS, where nobody waits for a slow reader (F44). */
export interface LinePublisher {
  publish(subject: string, line: string): void;
  /** Resolves once the server has taken what was published. */
  flush(): Promise<void>;
}

export interface StreamRequest {
  readonly machineId: string;
  readonly streamId: string;
  readonly tail: number;
  readonly follow: boolean;
}

/** Who follows asks again within this time, or the stream ends: a reader that went away tells nobody. */
const LEASE_MS = 30_000;
const MAX_STREAMS = 64;
/** Between two looks at how much the server has taken: a chatty guest must not fill our memory. */
const LINES_PER_FLUSH = 256;

/** Sends machines' log lines to whoever asked for them. */
export class LogStreams {
  readonly #hostId: string;
  readonly #logs: MachineLogs;
  readonly #publisher: LinePublisher;
  readonly #clock: Clock;
  readonly #onTrouble: (thrown: unknown) => void;
  readonly #streams = new Map<string, { readonly abort: AbortController; lease: AbortController }>();

  constructor(
    hostId: string,
    logs: MachineLogs,
    publisher: LinePublisher,
    clock: Clock,
    onTrouble: (thrown: unknown) => void,
  ) {
    this.#onTrouble = onTrouble;
    this.#hostId = hostId;
    this.#logs = logs;
    this.#publisher = publisher;
    this.#clock = clock;
  }

  /** Begins a stream, or renews the one of the same id. */
  open(request: StreamRequest): void {
    const open = this.#streams.get(request.streamId);
    if (open !== undefined) {
      this.#lease(request.streamId, open);
      return;
    }
    if (this.#streams.size >= MAX_STREAMS) {
      const message = `host ${this.#hostId} streams ${MAX_STREAMS} logs already: try again later`;
      throw new RefusedError(refusal("busy", message, { retryAfterMs: 1_000 }));
    }
    const stream = { abort: new AbortController(), lease: new AbortController() };
    this.#streams.set(request.streamId, stream);
    this.#lease(request.streamId, stream);
    this.#send(request, stream.abort.signal)
      .catch(this.#onTrouble)
      .finally(() => this.#end(request.streamId));
  }

  close(): void {
    for (const streamId of [...this.#streams.keys()]) this.#end(streamId);
  }

  #lease(streamId: string, stream: { lease: AbortController }): void {
    stream.lease.abort();
    stream.lease = new AbortController();
    this.#clock.sleep(LEASE_MS, stream.lease.signal).then(
      () => this.#end(streamId),
      () => {},
    );
  }

  #end(streamId: string): void {
    const stream = this.#streams.get(streamId);
    stream?.abort.abort();
    stream?.lease.abort();
    this.#streams.delete(streamId);
  }

  async #send(request: StreamRequest, signal: AbortSignal): Promise<void> {
    const subject = subjects.logLines(this.#hostId, request.streamId);
    let unflushed = 0;
    for await (const line of this.#lines(request, signal)) {
      this.#publisher.publish(subject, JSON.stringify({ kind: "line", ...line } satisfies LogLine));
      unflushed += 1;
      if (unflushed % LINES_PER_FLUSH === 0) await this.#publisher.flush();
    }
    if (!signal.aborted) this.#publisher.publish(subject, JSON.stringify({ kind: "end" } satisfies LogLine));
  }

  async *#lines(request: StreamRequest, signal: AbortSignal): AsyncIterable<MachineLogLine> {
    const { machineId, tail, follow } = request;
    if (follow) yield* this.#logs.follow(machineId, tail, signal);
    else yield* await this.#logs.read(machineId, tail);
  }
}
