import { percentile, rounded } from "./figures.ts";
import type { HttpLoad, LoadGenerator } from "./http-load.ts";
import { largeBodyRate } from "./large-body.ts";
import { processorSeconds } from "./processor-time.ts";
import type { Served } from "./served.ts";

const COLUMNS = ["requests/s", "p50 ms", "p99 ms", "processor µs", "MB/s"] as const;

/** One round of one server: small requests, with what each took of the processor, then one large answer. */
export type Round = Readonly<Record<(typeof COLUMNS)[number], number>>;

export async function measure(
  { address, pid }: Served,
  generator: LoadGenerator,
  load: HttpLoad,
): Promise<Round> {
  const beforeS = await processorSeconds(pid);
  const { count, seconds, p50Ms, p99Ms } = await generator.run(address, load);
  const tookS = (await processorSeconds(pid)) - beforeS;
  return {
    "requests/s": count / seconds,
    "p50 ms": p50Ms,
    "p99 ms": p99Ms,
    "processor µs": (tookS * 1e6) / count,
    "MB/s": await largeBodyRate(address, load.hostName),
  };
}

/** The median of each figure. */
export function median(rounds: readonly Round[]): Round {
  return roundOf((name) => {
    const values = rounds.map((round) => round[name]);
    return rounded(percentile(values, 0.5));
  });
}

/** One server's figures as multiples of another's in the same round. */
export function ratios(rounds: readonly Round[], others: readonly Round[]): Round[] {
  return rounds.map((round, n) => roundOf((name) => round[name] / others[n]![name]));
}

function roundOf(figure: (name: keyof Round) => number): Round {
  return Object.fromEntries(COLUMNS.map((name) => [name, figure(name)])) as Round;
}
