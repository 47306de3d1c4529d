import type { Ids } from "#kernel";

const ADJECTIVES =
  "amber brave calm clear cold dawn deep dry early fair fleet glad green high keen late light long low mild new north old open pale plain proud quick quiet red round sharp silent slow small soft still swift tall warm wet white wide wild wise young".split(
    " ",
  );
const NOUNS =
  "bank barn bay birch brook cairn cliff cloud cove creek dale drove dune fell fern field fold ford gate glen grove heath hill lake lane leaf marsh meadow mill moor moss oak path peak pine pond reed ridge rill river rock shore stone stream thorn vale wood".split(
    " ",
  );

/** A name for a machine that was given none: "quiet-ridge-4821". Unique enough; the claim in CONTROL decides. */
export function generateName(ids: Ids): string {
  const pick = (words: readonly string[]) => words[Math.floor(ids.random() * words.length)]!;
  const number = 1000 + Math.floor(ids.random() * 9000);
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${number}`;
}
