import { describe, expect, it } from "@jest/globals";
import { AnswerReader } from "./answer-reader.ts";
import { Garbled } from "./garbled.ts";

/** What a listener hears when the bytes come in pieces of a length, and what is left over. */
function hear(text: string, { pieces = Number.POSITIVE_INFINITY, isToHead = false, isClosed = false } = {}) {
  const heard: unknown[] = [];
  const told = (name: string) => (bytes: unknown) => heard.push([name, String(bytes)]);
  const reader = new AnswerReader(isToHead, {
    informed: ({ status }) => heard.push(["informed", status]),
    answered: ({ status, headers }) => heard.push(["answered", status, ...headers]),
    body: told("body"),
    ended: told("ended"),
  });
  let rest: Buffer | undefined;
  for (let at = 0; at < text.length && rest === undefined; at += pieces) {
    rest = reader.read(Buffer.from(text.slice(at, at + pieces), "latin1"));
  }
  if (isClosed) heard.push(["closed", reader.end()]);
  return { heard, rest: rest?.toString("latin1"), keeps: reader.head?.keepsConnection };
}

/** Its body in one piece, however it came. */
function bodyIn(heard: readonly unknown[]): string {
  return (heard as string[][]).flatMap(([name, bytes]) => (name === "body" ? [bytes] : [])).join("");
}

const OK = "HTTP/1.1 200 OK\r\n";

describe("AnswerReader", () => {
  it.each([1, 2, 3, 7, 1_000])("reads the same of pieces of %i bytes", (pieces) => {
    const sized = hear(`${OK}X-A:  b c\t\r\nContent-Length: 5\r\n\r\nhello`, { pieces });
    expect(sized.heard[0]).toEqual(["answered", 200, "X-A", "b c", "Content-Length", "5"]);
    expect([bodyIn(sized.heard), sized.heard.at(-1), sized.keeps]).toEqual(["hello", ["ended", ""], true]);
    const chunks = "3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n";
    const chunked = hear(`${OK}Transfer-Encoding: Chunked\r\n\r\n${chunks}`, { pieces });
    expect([bodyIn(chunked.heard), chunked.heard.at(-1)]).toEqual(["hello", ["ended", "X-Sum,1"]]);
    expect([sized.rest, chunked.rest]).toEqual(["", ""]);
  });

  it("gives bytes beyond ASCII as they came", () => {
    const name = Buffer.from("à la carte à").toString("latin1");
    expect(hear(`${OK}X-Name: ${name}\r\nContent-Length: 0\r\n\r\n`).heard[0]).toContain(name);
  });

  it("knows what has no body, whatever its headers say", () => {
    const length = "Content-Length: 5\r\n\r\n";
    expect(hear(OK + length, { isToHead: true }).heard.at(-1)).toEqual(["ended", ""]);
    expect(hear(`HTTP/1.1 304 Not Modified\r\n${length}`).heard.at(-1)).toEqual(["ended", ""]);
    expect(hear(`HTTP/1.1 204\r\n${length}`).heard).toEqual([
      ["answered", 204],
      ["ended", ""],
    ]);
  });

  it("reads to the end of the connection where nothing else says where the end is", () => {
    const { heard, rest, keeps } = hear(`${OK}\r\nall of it`, { isClosed: true });
    expect([bodyIn(heard), heard.at(-1), rest, keeps]).toEqual([
      "all of it",
      ["closed", true],
      undefined,
      false,
    ]);
    expect(hear(`${OK}Content-Length: 9\r\n\r\nhalf`, { isClosed: true }).heard.at(-1)).toEqual([
      "closed",
      false,
    ]);
  });

  it("hears words before the answer, and ends with the head that changes the protocol", () => {
    const early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    const { heard } = hear(`${early}${OK}Content-Length: 0\r\n\r\n`);
    expect(heard.slice(0, 2)).toEqual([
      ["informed", 100],
      ["informed", 103],
    ]);
    expect(hear("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nbytes")).toMatchObject({
      heard: [],
      rest: "bytes",
    });
  });

  it.each([
    [true, `${OK}Content-Length: 0\r\n\r\n`],
    [false, `${OK}Content-Length: 0\r\nConnection: Close\r\n\r\n`],
    [false, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
    [true, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n"],
  ])("says whether the connection may be used again: %s after %j", (keeps, text) => {
    expect(hear(text).keeps).toBe(keeps);
  });

  it("F51: gives back what comes after the end: it is nobody's answer", () => {
    expect(hear(`${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 200 evil`).rest).toBe("HTTP/1.1 200 evil");
    expect(hear(`${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nevil`).rest).toBe("evil");
  });

  const chunks = (text: string) => `${OK}Transfer-Encoding: chunked\r\n\r\n${text}`;
  it.each([
    "SSH-2.0-OpenSSH_9",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/1.1 200\tOK\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    `${OK}Content-Length : 5\r\n\r\n`,
    `${OK}X-A: 1\r\n folded\r\n\r\n`,
    `${OK}no field\r\n\r\n`,
    `${OK}X-A: \x00\r\n\r\n`,
    `${OK}X-A: 1\rX-B: 2\r\n\r\n`,
    `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`,
    `${OK}Content-Length: -5\r\n\r\n`,
    `${OK}Content-Length: 5, 5\r\n\r\n`,
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    `${OK}X-A: ${"a".repeat(17_000)}`,
    chunks("-1\r\n"),
    chunks("1 \r\nx\r\n"),
    chunks("1\nx\r\n"),
    chunks("1\r\nxy\r\n"),
    chunks("10000000000000001\r\nx"),
    chunks("0\r\nno field\r\n\r\n"),
    chunks(`1;${"a".repeat(17_000)}`),
  ])("F51: %j is no answer", (text) => {
    expect(() => hear(text)).toThrow(Garbled);
    expect(() => hear(text, { pieces: 5 })).toThrow(Garbled);
  });
});
