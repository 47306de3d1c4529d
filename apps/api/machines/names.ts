import { createHash } from "node:crypto";

const ADJECTIVES =
  "amber brave calm clear cold dawn deep dry early fair fleet glad green high keen late light long low mild new north old open pale plain proud quick quiet red round sharp silent slow small soft still swift tall warm wet white wide wild wise young".split(
    " ",
  );
const NOUNS =
  "bank barn bay birch brook cairn cliff cloud cove creek dale drove dune fell fern field fold ford gate glen grove heath hill lake lane leaf marsh meadow mill moor moss oak path peak pine pond reed ridge rill river rock shore stone stream thorn vale wood".split(
    " ",
  );

/**
 * A name for a machine that was given none: "quiet-ridge-4821". It follows from the machine's id and the number of the
 * try, so that a create that is repeated after a crash asks for the name that it already holds.
 */
export function nameFor(machineId: string, attempt: number): string {
  const digest = createHash("sha256").update(`${machineId}/${attempt}`).digest();
  const pick = (words: readonly string[], at: number) => words[digest.readUInt16BE(at) % words.length]!;
  return `${pick(ADJECTIVES, 0)}-${pick(NOUNS, 2)}-${1000 + (digest.readUInt16BE(4) % 9000)}`;
}
