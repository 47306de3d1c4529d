/** Lets messages in between two batches, and ends the work when nobody waits for it any more. */
export async function breath(signal: AbortSignal): Promise<void> {
  await new Promise<void>((done) => setImmediate(done));
  signal.throwIfAborted();
}
