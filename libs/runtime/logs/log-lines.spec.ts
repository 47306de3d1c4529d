import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { LineAssembler, MAX_LINE_BYTES } from "./log-lines.ts";

const head = (stream: string, flag: string) => `2026-11-24T23:16:15.945871797+00:00 ${stream} ${flag} `;
const atMs = Date.parse("2026-11-24T23:16:15.945Z");

function assemble(text: string | Buffer, midRecord = false) {
  const assembler = new LineAssembler(midRecord);
  return { lines: assembler.feed(Buffer.from(text)), unfinished: assembler.unfinished() };
}

describe("log lines", () => {
  it("are read with time and stream", () => {
    const { lines } = assemble(`${head("stdout", "F")}one two\n${head("stderr", "F")}\n`);
    expect(lines).toEqual([
      { atMs, stream: "stdout", text: "one two" },
      { atMs, stream: "stderr", text: "" },
    ]);
  });

  it("are joined from records, per stream, also within a character", () => {
    const tick = Buffer.from("✓");
    const { lines } = assemble(
      Buffer.concat([
        Buffer.from(head("stdout", "P")),
        tick.subarray(0, 1),
        Buffer.from(`\n${head("stderr", "F")}between\n${head("stdout", "F")}`),
        tick.subarray(1),
        Buffer.from(" done\n"),
      ]),
    );
    expect(lines.map(({ text }) => text)).toEqual(["between", "✓ done"]);
  });

  it("that have not ended are told apart", () => {
    const { lines, unfinished } = assemble(`${head("stdout", "P")}password: \n`);
    expect(lines).toEqual([]);
    expect(unfinished).toEqual([{ atMs, stream: "stdout", text: "password: " }]);
  });

  it("skip what is torn: the end of a record, a record within another, no record at all", () => {
    expect(assemble(`of a record\n${head("stdout", "F")}whole\n`, true).lines).toHaveLength(1);
    const torn = `2026-11-24T23:1${head("stdout", "F")}x\n\n\0\xff\n${head("stdin", "F")}x\n${head("stdout", "F")}y\n`;
    expect(assemble(torn).lines.map(({ text }) => text)).toEqual(["y"]);
  });

  it("a line without an end takes bounded memory and comes in pieces, nothing lost", () => {
    const assembler = new LineAssembler(false);
    const record = Buffer.from(`${head("stdout", "P")}${"x".repeat(8000)}\n`);
    let length = 0;
    for (let n = 0; n < 1_000; n += 1) {
      for (const { text } of assembler.feed(record)) {
        expect(text.length).toBeLessThan(MAX_LINE_BYTES + 8_192);
        length += text.length;
      }
    }
    for (const { text } of assembler.feed(Buffer.from(`${head("stdout", "F")}end\n`))) length += text.length;
    expect(length).toBe(8_000_003);
    expect(assembler.unfinished()).toEqual([]);
  });

  it("a record without an end takes bounded memory and is skipped", () => {
    const assembler = new LineAssembler(false);
    for (let n = 0; n < 1_000; n += 1) expect(assembler.feed(Buffer.alloc(10_000, "x"))).toEqual([]);
    expect(assembler.feed(Buffer.from(`\n${head("stdout", "F")}next\n`))).toHaveLength(1);
  });

  it("come out the same however the bytes are cut", () => {
    const word = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll("\n", ""));
    const record = fc.tuple(fc.constantFrom("stdout", "stderr"), fc.constantFrom("P", "F"), word);
    fc.assert(
      fc.property(fc.array(record), fc.array(fc.nat(60)), (records, cuts) => {
        const bytes = Buffer.from(records.map(([s, f, text]) => `${head(s, f)}${text}\n`).join(""));
        const whole = assemble(bytes);
        const assembler = new LineAssembler(false);
        const lines = [];
        let from = 0;
        for (const cut of cuts) {
          lines.push(...assembler.feed(bytes.subarray(from, from + cut)));
          from += cut;
        }
        lines.push(...assembler.feed(bytes.subarray(from)));
        expect({ lines, unfinished: assembler.unfinished() }).toEqual(whole);
      }),
    );
  });
});
