import { RefusedError, refusal } from "#kernel";

/**
 * Splits a command line into words as a shell does, quotes and backslashes included, and expands nothing. Throws a refusal
 * `invalid` for a quote that is not closed.
 */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  const part = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(.)/gsy;
  let word: string | undefined;
  for (const [whole, single, double, escaped, plain, odd] of line.matchAll(part)) {
    if (odd !== undefined) {
      throw new RefusedError(
        refusal("invalid", `cmd: ${whole} is not closed: give command as a list instead`),
      );
    }
    const text = single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? plain;
    if (text !== undefined) word = (word ?? "") + text;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}
