import type { Refusal } from "#kernel";
import type { Choice, Route } from "#routing";
import type { Refused } from "./refused.ts";

/** What is said when a request could not be served, in words that say what to do. */

export const BUSY: Refused = {
  code: "machines_busy",
  message: "every machine has as many requests as it may have: raise hard_limit or add machines",
};

export const NOT_LISTENING: Refused = {
  code: "connect_failed",
  message:
    "the machine runs and takes no connection: does its program listen on the service's internal_port?",
};

export const QUEUE_FULL: Refused = {
  code: "queue_full",
  message: "too many requests wait for a machine of this app already",
};

export const STOPPING: Refused = {
  code: "router_stopping",
  message: "this router is being stopped: try again",
};

/** Why no machine was chosen. */
export function noneToChoose({ code }: Choice & { kind: "none" }): Refused {
  const messages = {
    no_machine: "the app has no machine with a service for this: create one",
    machine_cordoned: "every machine with a service for this is cordoned: uncordon one",
    machine_stopped: "no machine runs, and none may be started by a request: start one",
  };
  return { code, message: messages[code] };
}

export function unknownHost(host: string): Refused {
  return { code: "unknown_host", message: `no app answers at ${host}` };
}

export function wakeTimeout({ machineId }: Route): Refused {
  return { code: "wake_timeout", message: `machine ${machineId} did not start in time` };
}

/** A host's own "no", or silence. */
export function wakeFailed(route: Route, { code, message, retryAfterMs }: Refusal): Refused {
  if (code === "deadline_exceeded") return wakeTimeout(route);
  if (code === "unreachable") {
    return {
      code: "host_unreachable",
      message: `host ${route.hostId} cannot be asked to start machine ${route.machineId}`,
    };
  }
  return {
    code: "wake_failed",
    message: `machine ${route.machineId} was not started: ${message}`,
    ...(retryAfterMs !== undefined && { retryAfterS: Math.max(1, Math.ceil(retryAfterMs / 1_000)) }),
  };
}

export function connectFailed({ machineId }: Route, port: number, reason: string): Refused {
  return {
    code: "connect_failed",
    message: `machine ${machineId} takes no connection on port ${port}: ${reason}`,
  };
}

export function machineDied({ machineId }: Route, mayRepeat: boolean): Refused {
  const message = `machine ${machineId} closed the connection before it answered`;
  return {
    code: "machine_died",
    message: mayRepeat ? message : `${message}; it may have acted on the request`,
  };
}

export function badAnswer({ machineId }: Route, reason: string): Refused {
  return { code: "bad_answer", message: `what machine ${machineId} answered is no HTTP: ${reason}` };
}
