import type { ControlEvent } from "#contracts";
import { assertNever } from "#kernel";
import { IDEMPOTENCY_KEY_TTL_MS, type IdempotencyKey } from "./idempotency-key.ts";
import { nameKey } from "./machine-name.ts";
import type { ControlState } from "./state.ts";

type DataOf<T extends ControlEvent["type"]> = Extract<ControlEvent, { type: T }>["data"];

/** CONTROL after one of its events. Changes `state` in place and returns it. */
export function evolveControl(state: ControlState, event: ControlEvent): ControlState {
  switch (event.type) {
    case "AppCreated": {
      const { appName: name, appId: id, ...described } = event.data;
      state.apps.set(name, { name, id, ...described, deleted: false });
      return state;
    }
    case "AppDeleted":
      return change(state, state.apps, event.data.appName, { deleted: true });
    case "MachineNameClaimed": {
      const { appName, name, ...holder } = event.data;
      putLast(state.names, nameKey(appName, name), holder);
      return state;
    }
    case "IdempotencyKeyClaimed":
      claimKey(state.idempotencyKeys, event.data);
      return state;
    case "PlacementDecided": {
      const { wish: _, candidates: __, refusals: ___, ...placement } = event.data;
      putLast(state.placements, placement.machineId, placement);
      return state;
    }
    case "PlacementRefused": {
      const { machineId, appName, epoch, error } = event.data;
      putLast(state.placements, machineId, { machineId, appName, epoch, refusedAs: error.code });
      return state;
    }
    case "VolumePlacementDecided": {
      const { wish: _, candidates: __, refusals: ___, ...placement } = event.data;
      putLast(state.volumePlacements, placement.volumeId, placement);
      return state;
    }
    case "VolumePlacementRefused": {
      const { volumeId, appName, epoch, error } = event.data;
      putLast(state.volumePlacements, volumeId, { volumeId, appName, epoch, refusedAs: error.code });
      return state;
    }
    case "HostRegistered":
      register(state, event.data);
      return state;
    case "TokenCreated": {
      const { tokenId: id, ...described } = event.data;
      state.tokens.set(id, { id, ...described, revoked: false });
      return state;
    }
    case "TokenRevoked":
      return change(state, state.tokens, event.data.tokenId, { revoked: true });
    case "HostnameClaimed":
      state.hostnames.set(event.data.hostname, event.data);
      return state;
    case "HostnameReleased":
      state.hostnames.delete(event.data.hostname);
      return state;
    case "DriftFound":
      return state;
    default:
      return assertNever(event);
  }
}

/**
 * In order of what CONTROL said last of each. Entries go when hosts forget what they are about, which may be before or
 * after their next one: the order, and with it the state's hash, must not tell which (I4, F07).
 */
function putLast<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
}

function change<V extends object>(
  state: ControlState,
  map: Map<string, V>,
  key: string,
  changed: Partial<V>,
): ControlState {
  const before = map.get(key);
  if (before !== undefined) map.set(key, { ...before, ...changed });
  return state;
}

/** Keys stand in order of their claims, so the old ones are in front: memory does not grow with history (F15). */
function claimKey(keys: Map<string, IdempotencyKey>, claimed: IdempotencyKey): void {
  for (const [keyHash, key] of keys) {
    if (key.claimedAtMs > claimed.claimedAtMs - IDEMPOTENCY_KEY_TTL_MS) break;
    keys.delete(keyHash);
  }
  keys.delete(claimed.keyHash);
  keys.set(claimed.keyHash, claimed);
}

function register(state: ControlState, data: DataOf<"HostRegistered">): void {
  const before = state.hosts.get(data.hostId);
  const former = before?.formerLogIds ?? [];
  const formerLogIds =
    before === undefined || before.logId === data.logId ? former : [...former, before.logId];
  state.hosts.set(data.hostId, { ...data, formerLogIds });
}
