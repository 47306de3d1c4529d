/** How fast time passes while playing. */
export type Tempo =
  /** So many times as fast as it happened; quiet stretches take their time. */
  | { readonly kind: "time"; readonly factor: number }
  /** So many events per second, however long it took. */
  | { readonly kind: "events"; readonly perSecond: number };

export const TEMPOS: readonly Tempo[] = [
  ...[1, 2, 5, 10, 60, 100, 1_000].map((factor) => ({ kind: "time", factor }) as const),
  ...[1, 5, 20, 100, 1_000, 5_000].map((perSecond) => ({ kind: "events", perSecond }) as const),
];

export const FIRST_TEMPO: Tempo = { kind: "events", perSecond: 20 };

export function tempoText(tempo: Tempo): string {
  return tempo.kind === "time" ? `${tempo.factor}×` : `${tempo.perSecond} events/s`;
}
