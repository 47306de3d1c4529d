import { describe, expect, it } from "@jest/globals";
import { SimulatedClock } from "#kernel";
import { SimulatedMachineLogs } from "#runtime";
import { LogStreams } from "./log-streams.ts";

const line = (text: string) => ({ atMs: 1, stream: "stdout" as const, text });

async function opened() {
  const logs = new SimulatedMachineLogs();
  const clock = new SimulatedClock();
  const sent: { readonly subject: string; readonly text: unknown }[] = [];
  const publisher = {
    publish: (subject: string, json: string) => {
      const { kind, text } = JSON.parse(json) as { readonly kind: string; readonly text?: string };
      sent.push({ subject, text: text ?? kind });
    },
    flush: async () => {},
  };
  const streams = new LogStreams("a", logs, publisher, clock, (thrown) => {
    throw thrown;
  });
  await logs.prepare("m");
  return { logs, clock, sent, streams, texts: () => sent.map(({ text }) => text) };
}

describe("LogStreams", () => {
  it("sends the last lines, and says that it is the end", async () => {
    const { logs, clock, streams, sent } = await opened();
    for (const text of ["one", "two", "three"]) logs.write("m", line(text));
    streams.open({ machineId: "m", streamId: "s1", tail: 2, follow: false });
    await clock.pass(0);
    expect(sent).toEqual([
      { subject: "logs.host.a.s1", text: "two" },
      { subject: "logs.host.a.s1", text: "three" },
      { subject: "logs.host.a.s1", text: "end" },
    ]);
  });

  it("follows for as long as it is asked to again, each line once", async () => {
    const { logs, clock, streams, texts } = await opened();
    const follow = () => streams.open({ machineId: "m", streamId: "s1", tail: 0, follow: true });
    follow();
    for (const text of ["one", "two", "three"]) {
      await clock.pass(20_000);
      logs.write("m", line(text));
      await clock.pass(0);
      follow();
    }
    expect(texts()).toEqual(["one", "two", "three"]);
    await clock.pass(30_000);
    logs.write("m", line("unheard"));
    await clock.pass(0);
    expect(texts()).toEqual(["one", "two", "three"]);
  });

  it("refuses more streams than it can serve, typed", async () => {
    const { streams } = await opened();
    const open = (streamId: string) => streams.open({ machineId: "m", streamId, tail: 0, follow: true });
    for (let index = 0; index < 64; index += 1) open(`s${index}`);
    expect(() => open("one too many")).toThrow(
      expect.objectContaining({ refusal: expect.objectContaining({ code: "busy" }) }),
    );
    streams.close();
    open("room again");
    streams.close();
  });
});
