/** How many tests did what. A check, such as the type check, counts as one. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NOTHING: Totals = { passed: 0, failed: 0, skipped: 0 };

export function add(totals: Totals, more: Partial<Totals>): Totals {
  return {
    passed: totals.passed + (more.passed ?? 0),
    failed: totals.failed + (more.failed ?? 0),
    skipped: totals.skipped + (more.skipped ?? 0),
  };
}

/** What speaks against success: failed tests, and having run none. */
export function failures(totals: Totals): number {
  return totals.passed + totals.failed === 0 ? 1 : totals.failed;
}

/** The line that a run ends with, and that machines read. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
