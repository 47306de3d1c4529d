import { type Figures, print } from "./figures.ts";
import { appendFigures } from "./log-append.ts";
import { foldFigures } from "./log-fold.ts";
import { travelFigures } from "./log-travel.ts";

/** How much is measured. */
export interface LogBenchOptions {
  readonly appends: number;
  readonly travels: number;
  readonly events: number;
}

const WHOLE: LogBenchOptions = { appends: 4_000, travels: 1_000, events: 1_000_000 };

/**
 * `drover bench log`: what writing down a decision costs, how fast it is known elsewhere, how fast a history folds.
 * A `ratio` compares with the bare thing, measured in the same run: the figures themselves are this machine's.
 */
export async function benchLog(options: LogBenchOptions): Promise<Figures> {
  const appends = await appendFigures(options.appends);
  const travels = await travelFigures(options.travels);
  const folds = await foldFigures(options.events);
  return { bench: "log", rows: [...appends, ...travels, ...folds] };
}

const [events] = process.argv.slice(2).flatMap((word) => /^--events=(\d+)$/.exec(word)?.slice(1) ?? []);
print(await benchLog(events === undefined ? WHOLE : { ...WHOLE, events: Number(events) }));
