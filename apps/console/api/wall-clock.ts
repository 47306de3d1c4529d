/** Wall time, epoch milliseconds: the one place where the page reads it. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
