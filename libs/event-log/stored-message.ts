import type { MsgHdrs } from "@nats-io/transport-node";
import type { StoredMessage } from "#contracts";

/** What a message from a stream, a direct get or a subscription has in common. */
export interface ArrivedMessage {
  readonly subject: string;
  readonly headers?: MsgHdrs | undefined;
  readonly data: Uint8Array;
}

/**
 * A NATS message as the codec reads it. `sequence` is its place in its log as the transport knows it: a host stream's
 * own sequence, or the one in a source's header. Left out on the live feed, where the message itself says it.
 */
export function storedMessage(message: ArrivedMessage, sequence?: number): StoredMessage {
  return {
    subject: message.subject,
    // Decoding NATS headers costs more than parsing the body: left to whoever asks for one.
    header: (name) => message.headers?.get(name),
    body: message.data,
    ...(sequence === undefined ? {} : { sequence }),
  };
}
