import type { IncomingMessage, ServerResponse } from "node:http";
import { passedTrailers } from "./header-names.ts";

/** How the passing on of an answer ended. */
export type Relayed = "whole" | "cut";

/**
 * Passes a machine's answer on, as fast as the client takes it: what neither has taken stays in the two sockets. Calls
 * `done` once the machine has said all, or broke off; then the client's connection is cut, so that it learns it (F52).
 * `stallMs`: how long the client may take nothing. The head must have been written.
 */
export function relayAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  stallMs: number,
  done: (how: Relayed) => void,
): void {
  let hasBegun = false;
  answer.on("data", (chunk: Buffer) => {
    hasBegun = true;
    if (response.write(chunk)) return;
    answer.pause();
    response.socket?.setTimeout(stallMs);
    response.once("drain", () => {
      response.socket?.setTimeout(0);
      answer.resume();
    });
  });
  answer.once("end", () => {
    hasBegun = true;
    const trailers = passedTrailers(answer.rawTrailers);
    if (trailers !== undefined) response.addTrailers(trailers);
    response.end();
    done("whole");
  });
  answer.on("error", () => undefined);
  answer.once("close", () => {
    if (answer.complete) return;
    cut(response);
    done("cut");
  });
  // A head whose body takes its time goes out alone; usually both go out together.
  setImmediate(() => {
    if (!hasBegun) response.flushHeaders();
  });
}

/** Ends the connection without an end of the answer. HTTP/1.0 knows the end of an answer by that of the connection alone. */
function cut(response: ServerResponse): void {
  const { socket } = response;
  if (response.req.httpVersion === "1.0") socket?.resetAndDestroy();
  else socket?.destroy();
}
