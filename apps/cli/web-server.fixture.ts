import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface WebServer {
  /** "http://127.0.0.1:port" */
  readonly base: string;
  /** What came in: "METHOD /path", in order. */
  readonly requests: string[];
  readonly tokens: (string | undefined)[];
  close(): Promise<void>;
}

/** An HTTP server that answers as `handle` says. */
export async function serveWeb(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<WebServer> {
  const requests: string[] = [];
  const tokens: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    tokens.push(request.headers.authorization);
    handle(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    base: `http://127.0.0.1:${port}`,
    requests,
    tokens,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Answers each path with its JSON, and all others with 404 as the API does. */
export function answering(answers: Readonly<Record<string, unknown>>) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const answer = answers[request.url ?? ""];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { error: `no ${request.url}`, status: "not_found" }));
  };
}
