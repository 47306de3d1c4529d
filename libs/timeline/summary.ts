import type { RecordedEvent } from "#contracts";

/** The few words that matter of each type. */
export function summaryOf(event: RecordedEvent): string {
  const data = event.data as Record<string, unknown>;
  const words: string[] = [];
  const say = (name: string, value: unknown) => {
    if (value !== undefined && value !== "") words.push(`${name}=${String(value)}`);
  };
  say("app", data.appName);
  say("name", data.name);
  say("host", event.subject.startsWith("evt.control") ? data.hostId : undefined);
  say("epoch", data.epoch);
  say("step", data.step);
  say("attempt", data.attempt);
  say("origin", data.origin);
  say("next", data.next);
  say("intent", data.intent);
  say("command", data.command);
  say("operation", (data.operation as { kind?: string } | undefined)?.kind);
  say("snapshot", data.snapshotId ?? data.sourceSnapshotId);
  say("size", data.sizeGb === undefined ? undefined : `${String(data.sizeGb)}GB`);
  say("exit", (data.exit as { exit_code?: number } | undefined)?.exit_code);
  say("code", data.code ?? (data.error as { code?: string } | undefined)?.code);
  say("candidates", listed(data.candidates, "score"));
  say("refused", event.type.endsWith("PlacementDecided") ? listed(data.refusals, "code") : undefined);
  say("why", data.message ?? data.reason ?? (data.error as { message?: string } | undefined)?.message);
  return words.join(" ");
}

/** "host-1:0.75,host-2:0.5": what is told of each of several hosts, in their order. */
function listed(hosts: unknown, what: string): string {
  const each = (hosts ?? []) as readonly Record<string, unknown>[];
  return each.map((host) => `${String(host.hostId)}:${String(host[what])}`).join(",");
}

/** Whether an event tells of something that went wrong. */
export function isFailure({ type, data }: RecordedEvent): boolean {
  switch (type) {
    case "MachineExited":
      return !data.exit.requested_stop && (data.exit.exit_code !== 0 || data.exit.guest_signal !== 0);
    case "HostAlarmRaised":
    case "UnknownContainerFound":
    case "MachineIntentDropped":
      return true;
    default:
      return type.endsWith("Failed") || type.endsWith("Refused");
  }
}
