import { connect } from "node:net";
import { percentile } from "./figures.ts";
import type { HttpAnswers, HttpLoad, LoadGenerator } from "./http-load.ts";
import type { Address } from "./served.ts";

/** The load where wrk is not installed: as little as reads an answer with a `Content-Length`. */
export const plainLoad: LoadGenerator = { name: "a generator of its own, wrk is not installed", run: pound };

async function pound(at: Address, { connections, seconds, hostName }: HttpLoad): Promise<HttpAnswers> {
  const began = performance.now();
  const untilMs = began + seconds * 1_000;
  const request = `GET / HTTP/1.1\r\nHost: ${hostName}\r\n\r\n`;
  const took: number[] = [];
  await Promise.all(Array.from({ length: connections }, () => askUntil(untilMs, at, request, took)));
  return {
    count: took.length,
    seconds: (performance.now() - began) / 1_000,
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
  };
}

/** One connection's requests, one after the other. */
function askUntil(untilMs: number, { host, port }: Address, request: string, took: number[]): Promise<void> {
  return new Promise((done, fail) => {
    const socket = connect({ host, port, noDelay: true });
    let askedAtMs = 0;
    let heard = "";
    const ask = () => {
      askedAtMs = performance.now();
      heard = "";
      socket.write(request);
    };
    socket.once("connect", ask);
    socket.on("data", (bytes) => {
      heard += bytes.toString("latin1");
      if (!isWhole(heard)) return;
      const nowMs = performance.now();
      took.push(nowMs - askedAtMs);
      if (!/^HTTP\/1\.1 2/.test(heard)) socket.destroy(new Error(`no 2xx: ${heard.split("\r\n")[0]}`));
      else if (nowMs < untilMs) ask();
      else socket.destroy();
    });
    socket.once("error", fail);
    socket.once("end", () => socket.destroy(new Error(`${host}:${port} closed the connection`)));
    socket.once("close", () => done());
  });
}

function isWhole(heard: string): boolean {
  const head = heard.indexOf("\r\n\r\n");
  return head >= 0 && heard.length >= head + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(heard)?.[1]);
}
