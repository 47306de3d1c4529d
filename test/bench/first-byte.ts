import { connect } from "node:net";

const PATIENCE_MS = 30_000;
const AGAIN_MS = 1;

/**
 * Asks `GET /` until somebody answers. Resolves at the first byte of the answer, to the moment on the monotonic clock.
 * Throws when that is no 200: nothing else is worth measuring.
 */
export async function firstByteAt(
  address: { host: string; port: number },
  hostName: string,
): Promise<number> {
  const endsAtMs = performance.now() + PATIENCE_MS;
  while (performance.now() < endsAtMs) {
    const said = await ask(address, hostName);
    if (said === undefined) {
      // Nobody listens there yet, and nothing tells when somebody does.
      await new Promise((done) => setTimeout(done, AGAIN_MS));
      continue;
    }
    if (!/^HTTP\/1\.[01] 200 /.test(said.head)) throw new Error(`not a 200: ${said.head.split("\r\n")[0]}`);
    return said.atMs;
  }
  throw new Error(`nobody answers at ${address.host}:${address.port}`);
}

/** One request; undefined when no byte came back. */
function ask(
  { host, port }: { host: string; port: number },
  hostName: string,
): Promise<{ atMs: number; head: string } | undefined> {
  return new Promise((done) => {
    const socket = connect(port, host);
    socket.once("connect", () =>
      socket.write(`GET / HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\n\r\n`),
    );
    socket.once("data", (bytes) => {
      const atMs = performance.now();
      socket.destroy();
      done({ atMs, head: bytes.toString("latin1") });
    });
    socket.once("error", () => done(undefined));
    socket.once("close", () => done(undefined));
  });
}
