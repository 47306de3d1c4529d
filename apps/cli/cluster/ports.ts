import { createServer } from "node:net";
import { RefusedError, refusal } from "#kernel";
import type { Listen } from "./cluster-file.ts";

/** Ports that no one is given by chance: below the kernel's range for outgoing connections. */
const FIRST_PORT = 14_000;
const LAST_PORT = 29_999;

/** `count` different ports on loopback that nobody uses at this moment, outside `taken`. */
export async function freePorts(
  count: number,
  random: () => number,
  taken: ReadonlySet<number>,
): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries += 1) {
    if (tries > 10_000)
      throw new RefusedError(refusal("port_taken", "no free ports on 127.0.0.1: free some"));
    const port = FIRST_PORT + Math.floor(random() * (LAST_PORT - FIRST_PORT + 1));
    if (!found.has(port) && !taken.has(port) && (await isFree({ host: "127.0.0.1", port }))) found.add(port);
  }
  return [...found];
}

/** Whether an address can be listened on right now. */
export async function isFree(listen: Listen): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen(listen.port, listen.host, () => server.close(() => done(true)));
  });
}
