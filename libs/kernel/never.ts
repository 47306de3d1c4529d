/** Closes a switch over a union: a case that is missing fails to compile, and one that slips through throws. */
export function assertNever(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`);
}
