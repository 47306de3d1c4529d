import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { type Address, HELLO, LARGE_BYTES } from "./served.ts";

const CHUNK = Buffer.alloc(65_536);

function answer({ url }: IncomingMessage, response: ServerResponse): void {
  const isLarge = url === "/large";
  response.writeHead(200, {
    "Content-Type": "text/plain",
    "Content-Length": isLarge ? LARGE_BYTES : HELLO.length,
  });
  if (isLarge) Readable.from(Array.from({ length: LARGE_BYTES / CHUNK.length }, () => CHUNK)).pipe(response);
  else response.end(HELLO);
}

function pipeTo(upstream: Address): (asked: IncomingMessage, response: ServerResponse) => void {
  const agent = new Agent({ keepAlive: true });
  return ({ method, url, headers }, response) => {
    const outgoing = request({ ...upstream, agent, method: method!, path: url!, headers }, (said) => {
      response.writeHead(said.statusCode!, said.rawHeaders);
      said.pipe(response);
    });
    outgoing.end();
  };
}

const [at, upstream] = process.argv.slice(2).map((word) => JSON.parse(word) as Address);
createServer(upstream === undefined ? answer : pipeTo(upstream)).listen(at!.port, at!.host, () => {
  process.stderr.write("listening\n");
});
