import { once } from "node:events";
import { createServer, connect as dial } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import { cutPort } from "./cut.ts";
import { freePort } from "./nats-server.ts";

it("cutPort silences both directions of an open connection, and healing brings what was sent meanwhile", async () => {
  const port = await freePort();
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const client = dial(port, "127.0.0.1");
  const [peer] = await accepted;
  const heard: string[] = [];
  client.on("data", (data) => heard.push(`client ${data}`));
  peer.on("data", (data: Buffer) => heard.push(`server ${data}`));
  const heal = await cutPort(port);
  try {
    client.write("a");
    peer.write("b");
    await sleep(300);
    expect(heard).toEqual([]);
  } finally {
    await heal();
  }
  while (heard.length < 2) await sleep(20);
  expect(heard.sort()).toEqual(["client b", "server a"]);
  client.destroy();
  peer.destroy();
  server.close();
});
