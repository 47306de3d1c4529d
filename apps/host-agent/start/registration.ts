import type { BusClient } from "#bus";
import { type CallMeta, type StoredMessage, schedulerCalls, subjects } from "#contracts";
import { compareWithHub, type HostLog, type LogVerdict } from "#event-log";
import { type Clock, type Ids, RefusedError, type Result } from "#kernel";

const DEADLINE_MS = 2_000;
const TAIL_PAGE = 200;
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 15_000;

/**
 * Tells the scheduler which log this host writes, and hears whether the hub knows more or something else of that log. A
 * log that was restored or lost its end must not be written under its old id: the hub would skip it in silence.
 */
export class Registration {
  readonly #client: BusClient;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #hostId: string;
  readonly #region: string;

  constructor(client: BusClient, clock: Clock, ids: Ids, hostId: string, region: string) {
    this.#client = client;
    this.#clock = clock;
    this.#ids = ids;
    this.#hostId = hostId;
    this.#region = region;
  }

  /** Asks once, and compares. Undefined when nobody answers: the host goes on alone (F37). */
  async ask(log: HostLog): Promise<LogVerdict | undefined> {
    const { sequence: lastSequence, eventId: lastEventId } = log.end;
    const answer = await this.#client.call(
      schedulerCalls.register,
      subjects.hostToScheduler(this.#hostId, "register"),
      {
        hostId: this.#hostId,
        region: this.#region,
        logId: log.logId,
        stream: log.stream,
        domain: this.#hostId,
        lastSequence,
        lastEventId,
      },
      this.#meta(),
    );
    if (answer.kind === "refused") return undefined;
    // The scheduler cannot compare where only this host has the event: at the hub's end, when that is behind.
    const { hubSequence, hubEventId } = answer.answer;
    const commonEventId = (await log.reader.eventIdAt(Math.min(lastSequence, hubSequence))) ?? "missing";
    // What was appended since the question was asked may have been at the hub before the scheduler looked.
    const presentSequence = Math.max(lastSequence, log.nextSequence - 1);
    return compareWithHub(
      { lastSequence: presentSequence, commonEventId },
      { lastSequence: hubSequence, commonEventId: hubEventId },
    );
  }

  /** Asks until it is answered. Nobody tells when the hub is there again, so it tries, ever more rarely. */
  async askUntilAnswered(log: HostLog, signal: AbortSignal): Promise<LogVerdict> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LAST_PAUSE_MS, pauseMs * 2)) {
      const verdict = await this.ask(log);
      if (verdict !== undefined) return verdict;
      await this.#clock.sleep(pauseMs * (0.5 + this.#ids.random() / 2), signal);
    }
  }

  /** What the hub holds of a log of this host. Throws when nobody answers. */
  async *copies(logId: string, fromSequence: number): AsyncGenerator<StoredMessage> {
    for (let next = fromSequence; ; ) {
      const subject = subjects.hostToScheduler(this.#hostId, "tail");
      const request = { hostId: this.#hostId, logId, fromSequence: next, limit: TAIL_PAGE };
      const { events } = orThrow(
        await this.#client.call(schedulerCalls.tail, subject, request, this.#meta()),
      );
      for (const { subject, headers, body, sequence } of events) {
        yield { subject, header: (name) => headers[name], body: Buffer.from(body), sequence };
        next = sequence + 1;
      }
      if (events.length === 0) return;
    }
  }

  #meta(): CallMeta {
    const commandId = this.#ids.ulid();
    const actor = `host:${this.#hostId}`;
    return {
      commandId,
      correlationId: commandId,
      causationId: commandId,
      actor,
      deadlineMs: DEADLINE_MS,
    };
  }
}

function orThrow<T>(result: Result<T>): T {
  if (result.kind === "refused") throw new RefusedError(result.refusal);
  return result.answer;
}
