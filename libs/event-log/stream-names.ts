/** The hub's streams. */
export const CONTROL = "CONTROL";
export const FLEET = "FLEET";
/** What routers tell of requests: no log, and nothing is decided from it. */
export const TRACES = "TRACES";

/** Name of the stream that holds one log of a host. Never used twice: a hub source remembers sequences per name. */
export function hostStream(hostId: string, logId: string): string {
  return `HOST_${hostId}_${logId}`;
}

/** Whose log a stream is; undefined for the name of any other stream. Log ids hold no underscore. */
export function parseHostStream(
  stream: string,
): { readonly hostId: string; readonly logId: string } | undefined {
  const match = /^HOST_(.+)_([A-Za-z0-9-]+)$/.exec(stream);
  return match === null ? undefined : { hostId: match[1]!, logId: match[2]! };
}
