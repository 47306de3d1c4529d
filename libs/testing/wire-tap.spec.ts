import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { type NatsServer, startNatsServer } from "./nats-server.ts";
import { WireFrames } from "./wire-frames.ts";
import { type Fate, type TappedMessage, WireTap } from "./wire-tap.ts";

describe("WireFrames", () => {
  const said = [
    'INFO {"a":1}\r\n',
    "PUB a.b 5\r\nhello\r\n",
    "HPUB a.b _INBOX.1 12 14\r\nNATS/1.0\r\n\r\nab\r\n",
    "MSG a.b 7 2\r\n\r\n\r\n",
    "HMSG a.b 7 back 12 12\r\nNATS/1.0\r\n\r\n\r\n",
    "PING\r\n",
  ].join("");

  it.each([1, 3, 1_000])("reads the same from packets of %i bytes", (size) => {
    const frames = new WireFrames();
    const read = [];
    for (let at = 0; at < said.length; at += size)
      read.push(...frames.take(Buffer.from(said.slice(at, at + size))));
    expect(read.map((frame) => frame.bytes.toString()).join("")).toBe(said);
    const messages = read.flatMap((frame) => (frame.kind === "message" ? [frame] : []));
    expect(messages.map(({ subject, reply, payload }) => [subject, reply, payload.length])).toEqual([
      ["a.b", undefined, 5],
      ["a.b", "_INBOX.1", 14],
      ["a.b", undefined, 2],
      ["a.b", "back", 12],
    ]);
  });
});

describe("WireTap", () => {
  let server: NatsServer;
  let tap: WireTap;
  let fateOf: (message: TappedMessage) => Fate;
  let nc: NatsConnection;
  let heard: string[];

  beforeEach(async () => {
    fateOf = () => "arrives";
    server = await startNatsServer();
    tap = await WireTap.open(server, (message) => fateOf(message));
    nc = await connect({ servers: tap.url, maxReconnectAttempts: 0 });
    heard = [];
    nc.subscribe("word", { callback: (_error, message) => void heard.push(message.string()) });
    nc.subscribe("ask", { callback: (_error, message) => void message.respond("answer") });
    await nc.flush();
  });
  afterEach(async () => {
    await nc.close();
    tap.cut();
    await server.stop();
  });

  const say = async (...words: string[]) => {
    for (const word of words) nc.publish("word", word, { headers: headers() });
    await nc.flush();
  };

  it("lets everything through, questions and answers too", async () => {
    await say("one", "two");
    expect(heard).toEqual(["one", "two"]);
    expect((await nc.request("ask", "")).string()).toBe("answer");
  });

  it("loses, doubles and delays single messages, whoever sends them", async () => {
    const isFrom = (from: TappedMessage["from"], word: string) => (message: TappedMessage) =>
      message.from === from && message.payload.includes(word);
    fateOf = (message) => {
      if (isFrom("client", "lost")(message) || isFrom("server", "missed")(message)) return "lost";
      if (isFrom("client", "twice")(message)) return "twice";
      return isFrom("server", "late")(message) ? { lateMs: 50 } : "arrives";
    };
    await say("lost", "missed", "late", "twice", "last");
    expect(heard).toEqual(["twice", "twice", "last"]);
    while (heard.length < 4) await new Promise((done) => setTimeout(done, 10));
    expect(heard.at(-1)).toBe("late");
  });

  it("ends a connection for good", async () => {
    tap.cut();
    expect(await nc.closed()).toBeDefined();
  });
});
