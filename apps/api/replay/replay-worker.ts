import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { connectBus } from "#bus";
import { readTraces } from "#event-log";
import { SystemClock } from "#kernel";
import { openTimeline } from "#timeline";
import { Desk } from "./desk.ts";
import { Investigator } from "./investigator.ts";
import type { FromThread, ThreadSettings, ToThread } from "./question.ts";
import { Survey } from "./survey.ts";

/*
 * The thread in which the API folds history: it has a connection of its own, and nobody but the API asks it. Plain
 * JavaScript but for its types: Node runs it from the source as well.
 */

/** Below everything else of this machine: on Linux, of this thread alone. A create or a wake does not wait for history. */
const NICE = 10;

setPriority(NICE);
const { servers, seed, folder } = workerData as ThreadSettings;
const clock = new SystemClock();
const stopping = new AbortController();
const send = (message: FromThread, transfer: readonly ArrayBuffer[] = []) =>
  parentPort?.postMessage(message, [...transfer]);
const notice = (line: string) => send({ kind: "notice", line });

let take = (_message: ToThread): void => undefined;
parentPort?.on("message", (message: ToThread) => {
  if (message.kind === "ping") send({ kind: "pong" });
  else if (message.kind === "stop") stopping.abort();
  else take(message);
});

const nc = await connectBus({ servers, user: "api", seed, name: "api-replay" }, stopping.signal);
const opened = await openTimeline({
  nc,
  directory: folder,
  onUnreadable: (place, reason) => notice(`cannot be read: ${place} ${reason}`),
});
stopping.signal.throwIfAborted();
const { timeline } = opened;
const findTrace = async (requestId: string) => (await readTraces(nc, requestId))[0];
const survey = new Survey(timeline, clock, notice);
const investigator = new Investigator({ timeline, clock, findTrace, findings: () => survey.findings() });
const desk = new Desk(investigator, send);
take = (message) => {
  if (message.kind === "happened") {
    investigator.happened();
    survey.happened();
  } else if (message.kind !== "ping" && message.kind !== "stop") void desk.take(message);
};
send({ kind: "ready" });

/** Answers take longer then, and are the same. */
const onTrouble = (trouble: unknown) => notice(`states of the past are not kept: ${String(trouble)}`);
const followed = Promise.all([opened.follow(stopping.signal, onTrouble), survey.run(stopping.signal)]);
stopping.signal.addEventListener("abort", async () => {
  await followed;
  await opened.close();
  await nc.close();
  parentPort?.close();
});
