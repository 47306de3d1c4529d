/**
 * System calls that no guest gets, whatever its user: those that reach past namespaces (keyrings, kernel modules,
 * tracing of the whole machine, foreign file handles), and those that have opened most holes in the kernel (io_uring,
 * bpf, userfaultfd, user namespaces). All others are allowed: what a guest may do with them, its capabilities say.
 */
const DENIED = [
  ["add_key", "keyctl", "request_key"],
  ["create_module", "delete_module", "finit_module", "init_module", "query_module"],
  ["kexec_file_load", "kexec_load", "reboot", "swapoff", "swapon", "acct", "quotactl", "quotactl_fd"],
  [
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "pivot_root",
  ],
  ["umount", "umount2", "setns", "name_to_handle_at", "open_by_handle_at"],
  ["bpf", "io_uring_enter", "io_uring_register", "io_uring_setup", "perf_event_open", "userfaultfd"],
  ["clock_settime", "clock_settime64", "settimeofday", "stime"],
  [
    "_sysctl",
    "ioperm",
    "iopl",
    "lookup_dcookie",
    "nfsservctl",
    "sysfs",
    "uselib",
    "ustat",
    "vm86",
    "vm86old",
  ],
].flat();

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
const CLONE_NEWUSER = 0x10000000;
const AF_VSOCK = 40;

/**
 * What makes, removes and marks subvolumes, by numbers in linux/btrfs.h (SNAP_CREATE, SUBVOL_CREATE, SNAP_DESTROY, both
 * _V2, SUBVOL_SETFLAGS, SET_RECEIVED_SUBVOL, SNAP_DESTROY_V2). It needs no capability, and what a guest would write to a
 * subvolume of its own, no volume's quota counts.
 */
const BTRFS_IOCTLS = [1, 14, 15, 23, 24, 26, 37, 63].map((number) => 0x9400 | number);
/** Type and number of an ioctl command; its size may vary, and more bits than 32 the kernel ignores. */
const IOCTL_MASK = 0xffff;

const masked = (index: number, mask: number, value = mask) => [
  { index, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" },
];
const refuse = (names: readonly string[], errnoRet: number, args?: ReturnType<typeof masked>) => ({
  names,
  action: "SCMP_ACT_ERRNO",
  errnoRet,
  ...(args === undefined ? {} : { args }),
});

/** The filter in the OCI runtime spec's form. */
export const SECCOMP = {
  defaultAction: "SCMP_ACT_ALLOW",
  architectures:
    process.arch === "arm64"
      ? ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
      : ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  syscalls: [
    refuse(DENIED, EPERM),
    refuse(["clone", "unshare"], EPERM, masked(0, CLONE_NEWUSER)),
    // Its flags are in memory, where a filter cannot look: told that it does not exist, libc falls back to clone.
    refuse(["clone3"], ENOSYS),
    ...BTRFS_IOCTLS.map((command) => refuse(["ioctl"], EPERM, masked(1, IOCTL_MASK, command))),
    refuse(["socket"], EAFNOSUPPORT, [{ index: 0, value: AF_VSOCK, valueTwo: 0, op: "SCMP_CMP_EQ" }]),
  ],
};
