/**
 * Called between the effects of an adapter with the name of what was just done. A test that throws here stops the
 * adapter where a crash would (F22); outside tests it does nothing.
 */
export type FaultPoint = (done: string) => void | Promise<void>;

export const noFault: FaultPoint = () => {};
