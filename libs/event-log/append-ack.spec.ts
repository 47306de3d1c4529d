import { describe, expect, it } from "@jest/globals";
import { headers, type Msg } from "@nats-io/transport-node";
import { readAppendAck } from "./append-ack.ts";

function answer(text: string): Msg {
  return { headers: undefined, json: () => JSON.parse(text) } as unknown as Msg;
}

const failure = (code: number) =>
  answer(JSON.stringify({ error: { code: 400, err_code: code, description: "no" } }));

describe("readAppendAck", () => {
  it("finds the sequence", () => {
    expect(readAppendAck(answer('{"stream":"S","seq":7}'))).toEqual({ kind: "stored", sequence: 7 });
  });

  it.each([10060, 10070, 10071, 10164])(
    "takes %i for somebody else's event: the stream has to be asked",
    (code) => {
      expect(readAppendAck(failure(code)).kind).toBe("conflict");
    },
  );

  it.each([10023, 10047, 10077])("takes %i for a log without room", (code) => {
    expect(readAppendAck(failure(code))).toEqual({ kind: "full", detail: `no (${code})` });
  });

  it("takes any other refusal of the server at its word", () => {
    expect(readAppendAck(failure(10054)).kind).toBe("rejected");
  });

  it.each(["not JSON", "{}"])("takes %j for no answer at all", (text) => {
    expect(readAppendAck(answer(text)).kind).toBe("unanswered");
  });

  it("takes a stream that is not there for no answer: it may come back", () => {
    const nobody = { headers: headers(503, "No Responders"), json: () => ({}) } as unknown as Msg;
    expect(readAppendAck(nobody).kind).toBe("unanswered");
    expect(readAppendAck(failure(10039)).kind).toBe("unanswered");
  });
});
