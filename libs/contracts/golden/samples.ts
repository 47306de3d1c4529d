import type { AnyEvent, EventType } from "../event.ts";

type SampleOf<T extends EventType> = Extract<AnyEvent, { type: T }>["data"];

const machineId = "d891234f0a2b3c";
const hostId = "host-a";
const operationId = "01JD0000000000000000000001";
const error = { code: "image_not_found", message: "no such image" };
const resources = { cpuMillis: 62, memoryMib: 256 };
const config = {
  image: "registry.local/hello:1",
  env: { GREETING: "hi" },
  guest: { cpus: 1, memory_mb: 256 },
};
const operation = {
  id: operationId,
  kind: "create",
  steps: [
    {
      name: "pull",
      input: { image: "registry.local/hello:1" },
      timeoutMs: 60_000,
      maxAttempts: 3,
      backoffMs: 500,
    },
    { name: "launch", timeoutMs: 10_000, maxAttempts: 1, backoffMs: 0, delayMs: 100 },
  ],
  startedAtMs: 1_764_000_000_000,
};
const exit = {
  exit_code: 137,
  guest_signal: 9,
  oom_killed: true,
  requested_stop: false,
  exited_at_ms: 1_764_000_005_000,
};
const wish = {
  regions: "local,any",
  policy: "spread" as const,
  antiAffinity: "soft" as const,
  features: ["container"],
};
const refusals = [{ hostId: "host-b", code: "insufficient_capacity", message: "needs 256 MiB, has 128" }];

/** One example of the current version of every event type: what the golden files were made from. */
export const SAMPLES: { readonly [T in EventType]: SampleOf<T> } = {
  MachineCreating: {
    machineId,
    operation,
    appName: "hello",
    name: "misty-river-1",
    region: "local",
    epoch: 1,
    instanceId: "01JD0000000000000000000002",
    config,
    resources,
    ipv4: "10.213.0.2",
    privateIp: "fd00::1",
    skipLaunch: false,
    createdAtMs: 1_764_000_000_000,
  },
  MachineCreated: { machineId, operationId, imageDigest: "sha256:00" },
  MachineLaunchFailed: { machineId, operationId, error },
  MachineStarting: {
    machineId,
    operation: { ...operation, parentId: "01JD0000000000000000000009", parentKind: "restart" },
    origin: "restart",
  },
  MachineStarted: { machineId, operationId, startedAtMs: 1_764_000_001_000 },
  MachineStopping: { machineId, operation, origin: "idle" },
  MachineExited: { machineId, operation, exit, next: "restarting" },
  MachineStopped: { machineId, operationId, exit },
  MachineRestarting: { machineId, operation, origin: "user" },
  MachineSuspending: { machineId, operation },
  MachineSuspended: { machineId, operationId },
  MachineUpdating: {
    machineId,
    operation,
    instanceId: "01JD0000000000000000000003",
    config,
    resources,
    skipLaunch: true,
  },
  MachineUpdated: { machineId, operationId, imageDigest: "sha256:01" },
  MachineUpdateFailed: { machineId, operationId, error, operation },
  MachineFailed: { machineId, operationId, error },
  MachineDestroying: { machineId, operation, origin: "user" },
  MachineDestroyed: { machineId, operationId },
  MachineReleased: { machineId, epoch: 2, toHostId: "host-b" },
  MachineIntentQueued: {
    machineId,
    intent: "stop",
    commandId: "01JD0000000000000000000007",
    origin: "user",
    signal: "SIGTERM",
    timeoutMs: 5000,
  },
  MachineIntentDropped: { machineId, intent: "start", code: "wrong_state", message: "it is destroyed" },
  StepCompleted: { machineId, operationId, step: "pull", output: { digest: "sha256:00" } },
  StepFailed: { machineId, operationId, step: "pull", attempt: 1, error, retryAfterMs: 250 },
  CommandRefused: {
    machineId,
    command: "StartMachine",
    code: "wrong_state",
    message: "it is destroyed",
    count: 3,
  },
  HostLogOpened: {
    hostId,
    logId: "01JD0000000000000000000004",
    region: "local",
    clusterId: "dev",
    subnet: "10.213",
    previous: {
      logId: "01JD0000000000000000000005",
      sequence: 41,
      reason: "behind",
      state: { machines: {} },
    },
  },
  AgentEpochClaimed: { hostId, epoch: 3, agentVersion: "0.1.0", bootId: "6f1c" },
  HostCapacityMeasured: { hostId, capacity: resources, maxMachines: 1000, features: ["runc"] },
  ReservationMade: {
    hostId,
    reservationId: "01JD0000000000000000000006",
    machineId,
    appName: "hello",
    epoch: 1,
    resources,
    ports: [{ host_port: 8080, machine_port: 80, protocol: "tcp" }],
    ttlMs: 5000,
  },
  ReservationEnded: { hostId, reservationId: "01JD0000000000000000000006", reason: "expired" },
  CommitRefused: {
    hostId,
    reservationId: "01JD0000000000000000000006",
    machineId,
    epoch: 1,
    code: "insufficient_capacity",
    message: "host host-a has no room",
  },
  HostCordoned: { hostId, owner: "ops", reason: "disk swap", expiresAtMs: 1_764_003_600_000 },
  HostUncordoned: { hostId, owner: "ops", reason: "done" },
  UnknownContainerFound: { hostId, containerId: "c1", reason: "no machine of this log" },
  HostAlarmRaised: { hostId, alarm: "log_diverged", message: "the log is behind the hub" },
  HostCommandRefused: {
    hostId,
    command: "OfferMachine",
    machineId,
    code: "cordoned",
    message: "cordoned by ops",
    count: 1,
  },
  AppCreated: {
    appName: "hello",
    appId: "app-1",
    orgSlug: "personal",
    network: "default",
    createdAtMs: 1_764_000_000_000,
  },
  AppDeleted: { appName: "hello", appId: "app-1" },
  MachineNameClaimed: { appName: "hello", name: "misty-river-1", machineId, claimedAtMs: 1_764_000_000_000 },
  IdempotencyKeyClaimed: {
    keyHash: "aa",
    requestHash: "bb",
    machineId,
    commandId: "01JD0000000000000000000007",
    claimedAtMs: 1_764_000_000_000,
  },
  PlacementDecided: {
    machineId,
    appName: "hello",
    hostId,
    epoch: 1,
    region: "local",
    wish,
    candidates: [
      {
        hostId,
        score: 0.75,
        random: 0.25,
        bid: { free: resources, capacity: resources, machineCount: 3, appMachineCount: 1 },
      },
    ],
    refusals,
  },
  PlacementRefused: { machineId, appName: "hello", epoch: 1, wish, error, refusals },
  HostRegistered: {
    hostId,
    region: "local",
    logId: "01JD0000000000000000000004",
    stream: "HOST_host-a",
    domain: "host-a",
    registeredAtMs: 1_764_000_000_000,
  },
  TokenCreated: {
    tokenId: "tok-1",
    name: "deploy",
    secretHash: "cc",
    createdAtMs: 1_764_000_000_000,
    expiresAtMs: 1_764_086_400_000,
  },
  TokenRevoked: { tokenId: "tok-1" },
  HostnameClaimed: {
    hostname: "www.example.com",
    appName: "hello",
    appId: "app-1",
    claimedAtMs: 1_764_000_000_000,
  },
  HostnameReleased: { hostname: "www.example.com", appName: "hello", appId: "app-1" },
};
