import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Clock } from "#kernel";

/** Who has nothing to say says that he is there. */
const HEARTBEAT_MS = 3_000;
/** Who said nothing for so long is gone. */
const SILENCE_MS = 12_000;
const HEADER_BYTES = 5;

/** First byte of a message; its number follows, then the frame. */
const FRAME = 0;
const HEARTBEAT = 1;
const FAREWELL = 2;

/** Why a link is over: the other side said so, fell silent, or a message was lost. */
export type LinkEnd = "closed" | "silent" | "lost";

export interface FrameLinkSettings {
  readonly nc: NatsConnection;
  readonly clock: Clock;
  readonly sendsOn: string;
  readonly hearsOn: string;
  readonly onFrame: (frame: Uint8Array) => void;
  /** Called once, unless it was closed here. */
  readonly onEnd: (end: LinkEnd) => void;
}

/**
 * Two parties' frames to each other over plain NATS, each in order and all of them, or the link is over and both know: the
 * messages are numbered, and each side says every few seconds that it is there. How much may be under way is for the
 * frames' own protocol to say.
 */
export class FrameLink {
  readonly #settings: FrameLinkSettings;
  readonly #subscription: Subscription;
  readonly #over = new AbortController();
  #sent = 0;
  #heard = 0;
  #heardAtMs: number;

  /**
   * Listens. Resolves when the server has taken the subscription: what is sent after that is not missed. `begin` it once
   * the other side listens, too.
   */
  static async open(settings: FrameLinkSettings): Promise<FrameLink> {
    const link = new FrameLink(settings);
    await settings.nc.flush();
    return link;
  }

  private constructor(settings: FrameLinkSettings) {
    this.#settings = settings;
    this.#heardAtMs = settings.clock.monotonicMs();
    this.#subscription = settings.nc.subscribe(settings.hearsOn, {
      callback: (error, message) => {
        if (error === null) this.#hear(message.data);
        else this.#end("lost");
      },
    });
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** From now on the other side is told that we are here, and has to be. */
  begin(): void {
    this.#heardAtMs = this.#settings.clock.monotonicMs();
    void this.#settings.nc.closed().then(() => this.#end("lost"));
    void this.#beat();
  }

  send(frame: Uint8Array): void {
    this.#publish(FRAME, frame);
  }

  /** Resolves once the server has what was sent. */
  async flush(): Promise<void> {
    await this.#settings.nc.flush();
  }

  /** Says that this is the end. */
  close(): void {
    if (this.isOver) return;
    this.#publish(FAREWELL);
    this.#stop();
  }

  #publish(kind: number, frame: Uint8Array = new Uint8Array()): void {
    const { nc, sendsOn } = this.#settings;
    if (this.isOver || nc.isClosed()) return;
    const message = Buffer.alloc(HEADER_BYTES + frame.length);
    message.writeUInt8(kind);
    message.writeUInt32BE(this.#sent % 2 ** 32, 1);
    message.set(frame, HEADER_BYTES);
    this.#sent += 1;
    nc.publish(sendsOn, message);
  }

  #hear(data: Uint8Array): void {
    if (this.isOver || data.length < HEADER_BYTES) return;
    const message = Buffer.from(data.buffer, data.byteOffset, data.length);
    this.#heardAtMs = this.#settings.clock.monotonicMs();
    const isNext = message.readUInt32BE(1) === this.#heard % 2 ** 32;
    this.#heard += 1;
    const kind = message.readUInt8();
    if (!isNext) this.#end("lost");
    else if (kind === FRAME) this.#settings.onFrame(message.subarray(HEADER_BYTES));
    else if (kind === FAREWELL) this.#end("closed");
  }

  /** Silence is no event. */
  async #beat(): Promise<void> {
    const { clock } = this.#settings;
    while (!this.isOver) {
      await clock.sleep(HEARTBEAT_MS, this.#over.signal).catch(() => undefined);
      if (clock.monotonicMs() - this.#heardAtMs > SILENCE_MS) this.#end("silent");
      else this.#publish(HEARTBEAT);
    }
  }

  #end(end: LinkEnd): void {
    if (this.isOver) return;
    // The other side may not know yet.
    if (end !== "closed") this.#publish(FAREWELL);
    this.#stop();
    this.#settings.onEnd(end);
  }

  #stop(): void {
    this.#over.abort("over");
    this.#subscription.unsubscribe();
  }
}
