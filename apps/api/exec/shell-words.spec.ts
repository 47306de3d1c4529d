import { describe, expect, it } from "@jest/globals";
import { shellWords } from "./shell-words.ts";

describe("shellWords", () => {
  it.each([
    ["", []],
    ["  ls  -l\t/tmp ", ["ls", "-l", "/tmp"]],
    [`sh -c 'echo "$HOME" *'`, ["sh", "-c", 'echo "$HOME" *']],
    [`echo "a \\"b\\" \\n" c\\ d ''`, ["echo", 'a "b" \\n', "c d", ""]],
    [`a"b"'c'`, ["abc"]],
  ])("splits %j", (line, words) => {
    expect(shellWords(line)).toEqual(words);
  });

  it.each(["echo 'open", 'echo "open', "open\\"])("refuses %j", (line) => {
    expect(() => shellWords(line)).toThrow("is not closed");
  });
});
