import type { RecordedEvent } from "#contracts";

/** Which events somebody wants; all of these hold. */
export interface EventFilter {
  readonly machineId?: string | undefined;
  readonly appName?: string | undefined;
  readonly hostId?: string | undefined;
  readonly type?: string | undefined;
}

/** Whether an event is wanted. `appOf`: the app that a machine belongs to, as far as is known. */
export function isWanted(
  event: RecordedEvent,
  { machineId, appName, hostId, type }: EventFilter,
  appOf: (machineId: string) => string | undefined,
): boolean {
  const { data } = event;
  const about = "machineId" in data ? data.machineId : undefined;
  const app = "appName" in data ? data.appName : about && appOf(about);
  return (
    (type === undefined || event.type === type) &&
    (machineId === undefined || about === machineId) &&
    (appName === undefined || app === appName) &&
    (hostId === undefined || event.subject.startsWith(`evt.host.${hostId}.`))
  );
}
