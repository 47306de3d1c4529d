import { connect } from "node:net";
import { type Address, LARGE_BYTES } from "./served.ts";

/** Read as a plain socket into one buffer: whoever measures shall not be what is slow. */
const BUFFER_BYTES = 262_144;

/** Megabytes per second of one large answer. Throws when it is no 200 or not whole. */
export function largeBodyRate({ host, port }: Address, hostName: string): Promise<number> {
  return new Promise((done, fail) => {
    const beganMs = performance.now();
    let head: string | undefined;
    let bytes = 0;
    const buffer = Buffer.alloc(BUFFER_BYTES);
    const callback = (count: number) => {
      head ??= headIn(buffer.toString("latin1", 0, count));
      bytes += count;
      return true;
    };
    const socket = connect({ host, port, onread: { buffer, callback } });
    socket.write(`GET /large HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\n\r\n`);
    socket.once("error", fail);
    socket.once("close", () => {
      const isWhole = head?.startsWith("HTTP/1.1 200 ") === true && bytes === head.length + LARGE_BYTES;
      if (isWhole) done(LARGE_BYTES / 1e6 / ((performance.now() - beganMs) / 1_000));
      else fail(new Error(`${host}:${port} sent ${bytes} bytes after ${JSON.stringify(head)}`));
    });
  });
}

/** It comes as a whole, for it is short. */
function headIn(text: string): string {
  return text.slice(0, text.indexOf("\r\n\r\n") + 4);
}
