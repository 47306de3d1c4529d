import { headers, type MsgHdrs } from "@nats-io/transport-node";
import type { EncodedEvent, StoredMessage } from "#contracts";
import { type ArrivedMessage, storedMessage } from "./stored-message.ts";

/** The live feed's own subject names the host only: this header carries the subject under which the event was logged. */
const SUBJECT_HEADER = "Drover-Subject";

/** An event just appended, as it goes out on `subjects.live(hostId)`. */
export function liveMessage(event: EncodedEvent): { readonly headers: MsgHdrs; readonly body: string } {
  const carried = headers();
  for (const [name, value] of Object.entries(event.headers)) carried.set(name, value);
  carried.set(SUBJECT_HEADER, event.subject);
  return { headers: carried, body: event.body };
}

/** A message of the live feed as the codec reads it. Its place is the one that the event itself says. */
export function fromLive(message: ArrivedMessage): StoredMessage {
  const stored = storedMessage(message);
  return { ...stored, subject: stored.header(SUBJECT_HEADER) ?? message.subject };
}
