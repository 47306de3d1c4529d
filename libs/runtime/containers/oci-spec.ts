import type { LaunchMount, LaunchSpec } from "./container-runtime.ts";
import { SECCOMP } from "./seccomp.ts";
import type { ProcessUser } from "./user.ts";

/** What the OCI config needs beyond the launch itself. */
export interface OciSurroundings {
  readonly user: ProcessUser;
  /** Path of the container's group in every cgroup hierarchy. */
  readonly cgroup: string;
  readonly limitsSwap: boolean;
  /** The most that this host can give a process. */
  readonly maxOpenFiles: number;
  /** Folder with the `hosts`, `hostname` and `resolv.conf` that the guest sees. */
  readonly etcFolder: string;
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const CPU_PERIOD_US = 100_000;
const MAX_PROCESSES = 4096;

/** What Docker leaves to root in a container. */
const CAPABILITIES = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

/** The container's config.json (https://github.com/opencontainers/runtime-spec, 1.0). */
export function ociSpec(launch: LaunchSpec, around: OciSurroundings): Record<string, unknown> {
  return {
    ociVersion: "1.0.2",
    hostname: launch.hostname,
    root: { path: launch.rootfsPath },
    process: processOf(launch, around),
    mounts: [...systemMounts(around.etcFolder), ...launch.mounts.map(bindMount)],
    linux: {
      cgroupsPath: around.cgroup,
      namespaces: [
        { type: "pid" },
        { type: "ipc" },
        { type: "uts" },
        { type: "mount" },
        { type: "cgroup" },
        { type: "network", path: launch.netnsPath },
      ],
      resources: resources(launch, around.limitsSwap),
      // Of the machine's own network namespace: any user may serve ports below 1024, and ping.
      sysctl: { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" },
      seccomp: SECCOMP,
      maskedPaths: MASKED,
      readonlyPaths: READONLY,
    },
  };
}

function processOf(
  { process, hostname }: LaunchSpec,
  { user, maxOpenFiles }: OciSurroundings,
): Record<string, unknown> {
  const env = {
    PATH: DEFAULT_PATH,
    HOME: user.home,
    HOSTNAME: hostname,
    ...(process.tty ? { TERM: "xterm" } : {}),
    ...process.env,
  };
  const held = user.uid === 0 ? CAPABILITIES : [];
  return {
    terminal: process.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: process.args,
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    cwd: process.cwd,
    capabilities: { bounding: CAPABILITIES, effective: held, permitted: held, inheritable: [], ambient: [] },
    noNewPrivileges: true,
    // A guest goes before any service of the host does.
    oomScoreAdj: 500,
    rlimits: [
      { type: "RLIMIT_NOFILE", soft: maxOpenFiles, hard: maxOpenFiles },
      // The host may pipe cores to a program of its own: guests shall not feed it.
      { type: "RLIMIT_CORE", soft: 0, hard: 0 },
    ],
  };
}

/** Shares hold what is promised when all want more; up to one CPU, or all it has, a machine may use what is idle. */
function resources(
  { resources: { cpuMillis, memoryMib } }: LaunchSpec,
  limitsSwap: boolean,
): Record<string, unknown> {
  const bytes = memoryMib * 1024 * 1024;
  return {
    memory: { limit: bytes, ...(limitsSwap ? { swap: bytes } : {}) },
    cpu: {
      shares: Math.max(2, Math.round((cpuMillis * 1024) / 1000)),
      quota: Math.round((Math.max(1000, cpuMillis) * CPU_PERIOD_US) / 1000),
      period: CPU_PERIOD_US,
    },
    pids: { limit: MAX_PROCESSES },
    devices: [{ allow: false, access: "rwm" }],
  };
}

function systemMounts(etcFolder: string): Record<string, unknown>[] {
  const tmpfs = (destination: string, ...options: string[]) => ({
    destination,
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "noexec", ...options],
  });
  const etc = (name: string) => ({
    destination: `/etc/${name}`,
    type: "bind",
    source: `${etcFolder}/${name}`,
    options: ["bind", "nosuid", "nodev", "noexec"],
  });
  const guarded = ["nosuid", "noexec", "nodev"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: guarded },
    tmpfs("/dev", "strictatime", "mode=755", "size=65536k"),
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    tmpfs("/dev/shm", "nodev", "mode=1777", "size=65536k"),
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: guarded },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...guarded, "ro"] },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: [...guarded, "relatime", "ro"],
    },
    ...["hosts", "hostname", "resolv.conf"].map(etc),
  ];
}

function bindMount({ source, destination }: LaunchMount): Record<string, unknown> {
  return { destination, type: "bind", source, options: ["bind", "rw", "nosuid", "nodev"] };
}

/** Files of /proc and /sys that tell of, or change, the host rather than the guest. */
const MASKED = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];
const READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
