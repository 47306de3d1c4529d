import type { ReplayStep } from "#contracts";

/** The moment right after a step, in the form that is answered quickest. */
export function momentOf({ log, sequence, clock }: Pick<ReplayStep, "log" | "sequence" | "clock">): string {
  return `${log}:${sequence}@${clock}`;
}

/** Epoch milliseconds of a moment that is a time. */
export function timeOf(moment: string): number | undefined {
  return /^\d{1,16}$/.test(moment) ? Number(moment) : undefined;
}

/** When a moment was, epoch milliseconds: a time itself, or by the clock of `momentOf`'s form. */
export function whenOf(moment: string): number | undefined {
  const clock = /@([0-9a-f]{12})-/.exec(moment)?.[1];
  return timeOf(moment) ?? (clock === undefined ? undefined : Number.parseInt(clock, 16));
}

/** Reads `LOG:SEQUENCE,…`. */
export function readPosition(text: string): Map<string, number> {
  const position = new Map<string, number>();
  for (const pair of text.split(",")) {
    const colon = pair.lastIndexOf(":");
    if (colon > 0) position.set(pair.slice(0, colon), Number(pair.slice(colon + 1)));
  }
  return position;
}

const DAY = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit" });
const TIME = new Intl.DateTimeFormat("sv-SE", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** "2026-11-24" in the reader's own time zone. */
export function dayText(atMs: number): string {
  return DAY.format(atMs);
}

/** "14:03:07.250" in the reader's own time zone. */
export function clockText(atMs: number): string {
  const whole = Math.floor(atMs);
  return `${TIME.format(whole)}.${String(((whole % 1_000) + 1_000) % 1_000).padStart(3, "0")}`;
}

/** "41 ms", "3.2 s", "5 min 3 s", "2 h 4 min", "3 d 4 h". */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
