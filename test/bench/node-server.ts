import { resolve } from "node:path";
import { startChild } from "#testing";
import type { Address, StartedServer } from "./served.ts";

/** A machine's program where nginx is not installed. */
export function nodeUpstream(at: Address): Promise<StartedServer> {
  return startNode("upstream alone (node:http)", at);
}

/** What any proxy on node:http costs that does nothing but pass on: the rest is a router's own. */
export function nodePipe(at: Address, upstream: Address): Promise<StartedServer> {
  return startNode("bare pipe of node:http", at, upstream);
}

async function startNode(what: string, address: Address, upstream?: Address): Promise<StartedServer> {
  const addresses = upstream === undefined ? [address] : [address, upstream];
  const words = [
    resolve("dist/test/bench/node-program.js"),
    ...addresses.map((each) => JSON.stringify(each)),
  ];
  const child = await startChild(process.execPath, words, /listening/);
  return { what, address, pid: child.pid, [Symbol.asyncDispose]: () => child.kill() };
}
