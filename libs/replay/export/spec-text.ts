/** What the test of a slice is made of. */
export interface SpecSettings {
  readonly name: string;
  readonly headline: string;
  /** A module that exports deciders, as the test imports it. */
  readonly decidersFrom?: string;
}

const MOST_TITLE = 80;

/** The test beside an archive: it lives through the slice again, and holds when nothing is wrong with it any more. */
export function specText({ name, headline, decidersFrom }: SpecSettings): string {
  const title = headline.length > MOST_TITLE ? `${headline.slice(0, MOST_TITLE - 1)}…` : headline;
  const deciders =
    decidersFrom === undefined ? "" : `import * as deciders from ${JSON.stringify(decidersFrom)};\n`;
  const argument = decidersFrom === undefined ? "" : "deciders";
  return `import { describe, expect, it } from "@jest/globals";
import { openSlice } from "#replay";
${deciders}
const slice = await openSlice(new URL("./${name}.ndjson", import.meta.url));

/** Every decision of the slice is made anew, and its events are folded anew: it fails for as long as the mistake is made. */
describe("${name}", () => {
  it(${JSON.stringify(title)}, () => {
    expect(slice.problems(${argument})).toEqual([]);
  });
});
`;
}
