import { headers } from "@nats-io/transport-node";
import { z } from "zod";
import { EventVocabulary, encodeEvent, type NewEvent, subjects } from "#contracts";
import { controlLogId } from "#event-log";
import { SystemClock, SystemIds } from "#kernel";
import type { Plane } from "../plane/plane.ts";

const ids = new SystemIds(new SystemClock());

/** An event as some other release of Drover writes it. */
interface ForeignEvent {
  readonly type: string;
  readonly version: number;
  readonly data: unknown;
}

/** Appends it to CONTROL: whole, with the right checksum, and by one who may. Throws when it does not stand there afterwards. */
export async function appendForeign(plane: Plane, { type, version, data }: ForeignEvent): Promise<void> {
  const same = (given: unknown) => given;
  const vocabulary = new EventVocabulary({ [type]: z.unknown() }, { [type]: Array(version - 1).fill(same) });
  const id = ids.ulid();
  const subject = subjects.control("app", `foreign-${id}`);
  const header = {
    id,
    version,
    clock: "019ab5d7a400-0001",
    causationId: "c",
    correlationId: "c",
    actor: "test",
  };
  const event = { type, data, subject, header } as unknown as NewEvent;
  const encoded = encodeEvent(event, { log: await controlLogId(plane.hub) }, vocabulary);
  const carried = headers();
  for (const [name, value] of Object.entries(encoded.headers)) carried.set(name, value);
  const answer = await plane.hub.request(subject, encoded.body, { headers: carried, timeout: 5_000 });
  const { stream } = answer.json<{ readonly stream?: string }>();
  if (stream !== "CONTROL") throw new Error(`not appended: ${answer.string()}`);
}
