const END_OF_LINE = Buffer.from("\r\n");

/** A message on its way between a NATS client and its server. */
export interface WireMessage {
  readonly kind: "message";
  readonly subject: string;
  /** Where an answer is expected. */
  readonly reply: string | undefined;
  /** Headers and body. */
  readonly payload: Buffer;
  /** As it came over the wire. */
  readonly bytes: Buffer;
}

/** Everything else that is said: handshakes, subscriptions, pings. */
export interface WireTalk {
  readonly kind: "talk";
  readonly bytes: Buffer;
}

/** Cuts one direction of a NATS connection into what is said, however it was cut into packets. */
export class WireFrames {
  #rest: Buffer = Buffer.alloc(0);

  take(chunk: Buffer): (WireMessage | WireTalk)[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: (WireMessage | WireTalk)[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      frames.push(frame);
      this.#rest = this.#rest.subarray(frame.bytes.length);
    }
    return frames;
  }

  #next(): WireMessage | WireTalk | undefined {
    const end = this.#rest.indexOf(END_OF_LINE);
    if (end < 0) return undefined;
    const words = this.#rest.toString("latin1", 0, end).split(/\s+/);
    const place = placesOf(words);
    const head = end + END_OF_LINE.length;
    if (place === undefined) return { kind: "talk", bytes: this.#rest.subarray(0, head) };
    const size = Number(words.at(-1));
    const whole = head + size + END_OF_LINE.length;
    if (this.#rest.length < whole) return undefined;
    return {
      kind: "message",
      ...place,
      payload: this.#rest.subarray(head, head + size),
      bytes: this.#rest.subarray(0, whole),
    };
  }
}

/** `PUB subject [reply] size`, `HPUB subject [reply] headers size`, `MSG subject sid [reply] size`, `HMSG` likewise. */
function placesOf(words: readonly string[]): { subject: string; reply: string | undefined } | undefined {
  const sizes = { PUB: 1, MSG: 1, HPUB: 2, HMSG: 2 }[words[0]!.toUpperCase()];
  if (sizes === undefined) return undefined;
  const ids = /MSG$/i.test(words[0]!) ? 1 : 0;
  const hasReply = words.length === 2 + ids + sizes + 1;
  return { subject: words[1]!, reply: hasReply ? words[2 + ids] : undefined };
}
