import type { ControlEvent } from "#contracts";
import { accepted, type Decision, refusal, refused, UNCHANGED } from "#kernel";

/** The app that answers for a hostname. It falls free with its app: nobody has to release it, so nothing can forget to. */
export interface HostnameHolder {
  readonly hostname: string;
  readonly appName: string;
  /** An app that was deleted and made anew has another id, and none of the hostnames. */
  readonly appId: string;
  readonly claimedAtMs: number;
}

interface OfApp {
  /** In canonical form (`hostnameSchema`). */
  readonly hostname: string;
  readonly appName: string;
  readonly appId: string;
}

export interface ClaimHostname extends OfApp {
  readonly type: "ClaimHostname";
  readonly atMs: number;
  /** Id of an app that was deleted, as CONTROL says. */
  readonly goneAppId?: string;
}

export interface ReleaseHostname extends OfApp {
  readonly type: "ReleaseHostname";
}

/** A hostname belongs to one app at a time. */
export function decideClaimHostname(
  command: ClaimHostname,
  holder: HostnameHolder | undefined,
): Decision<ControlEvent> {
  const { hostname, appName, appId, atMs: claimedAtMs, goneAppId } = command;
  if (holder?.appId === appId) return UNCHANGED;
  if (holder === undefined || holder.appId === goneAppId) {
    return accepted({ type: "HostnameClaimed", data: { hostname, appName, appId, claimedAtMs } });
  }
  const details = { appName: holder.appName, appId: holder.appId };
  const message = `${hostname} belongs to app ${holder.appName}: remove it there first`;
  return refused(refusal("name_taken", message, { details }));
}

/** Only its own app gives a hostname up. */
export function decideReleaseHostname(
  { hostname, appName, appId }: ReleaseHostname,
  holder: HostnameHolder | undefined,
): Decision<ControlEvent> {
  if (holder?.appId !== appId) return UNCHANGED;
  return accepted({ type: "HostnameReleased", data: { hostname, appName, appId } });
}
