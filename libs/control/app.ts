import type { ControlEvent } from "#contracts";
import { accepted, type Decision, refusal, refused, UNCHANGED } from "#kernel";

/** An app: the name under which machines belong together. */
export interface AppRecord {
  readonly name: string;
  readonly id: string;
  readonly orgSlug: string;
  readonly network: string;
  readonly createdAtMs: number;
  readonly deleted: boolean;
}

export interface CreateApp {
  readonly type: "CreateApp";
  readonly appName: string;
  readonly appId: string;
  readonly orgSlug: string;
  readonly network: string;
  readonly atMs: number;
}

export interface DeleteApp {
  readonly type: "DeleteApp";
  readonly appName: string;
  /** Machines of the app that are not destroyed, as the caller sees them. */
  readonly machineCount: number;
  /** Likewise volumes. */
  readonly volumeCount?: number;
}

/** A name is free again once its app was deleted; the next app of that name has another id. */
export function decideCreateApp(command: CreateApp, app: AppRecord | undefined): Decision<ControlEvent> {
  if (app !== undefined && !app.deleted) {
    if (app.id === command.appId) return UNCHANGED;
    return refused(refusal("name_taken", `there is an app ${app.name} already: choose another name`));
  }
  const { type: _, atMs: createdAtMs, ...described } = command;
  return accepted({ type: "AppCreated", data: { ...described, createdAtMs } });
}

export function decideDeleteApp(command: DeleteApp, app: AppRecord | undefined): Decision<ControlEvent> {
  if (app === undefined) return refused(refusal("not_found", `no app ${command.appName}`));
  if (app.deleted) return UNCHANGED;
  const { machineCount, volumeCount = 0 } = command;
  const left = [...counted(machineCount, "machine"), ...counted(volumeCount, "volume")];
  if (left.length > 0) {
    const message = `app ${app.name} still has ${left.join(" and ")}: destroy them first`;
    return refused(refusal("wrong_state", message));
  }
  return accepted({ type: "AppDeleted", data: { appName: app.name, appId: app.id } });
}

function counted(count: number, what: string): string[] {
  return count === 0 ? [] : [count === 1 ? `1 ${what}` : `${count} ${what}s`];
}
