import type { IncomingMessage } from "node:http";
import { HOP_BY_HOP, namedByConnection, without } from "./header-names.ts";

/** Answers that have no body and so no length (RFC 9110 §8.6). */
const NO_CONTENT = 204;

/**
 * The headers of a machine's answer as the client gets them. `mayTrail`: the client can take trailers, so what announces
 * them is passed on where they may come. Undefined for an answer in a coding that is not undone here.
 */
export function answerHeaders(
  answer: IncomingMessage,
  requestId: string,
  mayTrail: boolean,
): string[] | undefined {
  const raw = answer.rawHeaders;
  const headers: string[] = [];
  let connection: string | undefined;
  let isChunked = false;
  let trailer: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    if (name === "transfer-encoding") {
      if (value.toLowerCase() !== "chunked") return undefined;
      isChunked = true;
    } else if (name === "connection") connection = value;
    else if (name === "trailer") trailer = value;
    else if (name === "content-length" && answer.statusCode === NO_CONTENT) continue;
    else if (name !== "fly-request-id" && !HOP_BY_HOP.has(name)) headers.push(raw[i]!, value);
  }
  const named = connection === undefined ? undefined : namedByConnection(connection);
  if (named !== undefined) without(headers, named);
  if (trailer !== undefined && isChunked && mayTrail) headers.push("Trailer", trailer);
  headers.push("Via", "1.1 drover", "Fly-Request-Id", requestId);
  return headers;
}
