import { TerminalError } from "#kernel";
import { readInRoot } from "./safe-path.ts";

/** Whom a process runs as, by number, as the OCI runtime spec wants it. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

const MAX_BYTES = 1024 * 1024;
const MAX_ID = 2 ** 32 - 2;

/**
 * Looks up `user`, `uid`, `user:group`, `uid:gid` or "" (root) in the image's own /etc/passwd and /etc/group, as
 * Docker does: a number needs no entry, a name does. Throws `TerminalError` ("launch_failed") otherwise.
 */
export async function resolveUser(rootfs: string, user: string): Promise<ProcessUser> {
  const [name = "", group] = user.split(":", 2);
  const passwd = await entriesOf(rootfs, "/etc/passwd");
  const groups = await entriesOf(rootfs, "/etc/group");
  const wanted = name === "" ? "0" : name;
  const account = passwd.find((entry) => entry[0] === wanted || (isNumber(wanted) && entry[2] === wanted));
  const uid = toId(account?.[2] ?? wanted, `user ${wanted}`);
  const ownGid = toId(account?.[3] ?? "0", `the group of user ${wanted}`);
  return {
    uid,
    gid: group === undefined || group === "" ? ownGid : gidOf(groups, group),
    additionalGids:
      group === undefined && account !== undefined ? memberships(groups, account[0]!, ownGid) : [],
    home: account?.[5] || "/",
  };
}

function gidOf(groups: readonly string[][], group: string): number {
  const entry = groups.find(([name, , gid]) => name === group || (isNumber(group) && gid === group));
  return toId(entry?.[2] ?? group, `group ${group}`);
}

function memberships(groups: readonly string[][], name: string, ownGid: number): number[] {
  const gids = groups
    .filter((entry) => (entry[3] ?? "").split(",").includes(name))
    .map((entry) => Number(entry[2]))
    .filter((gid) => Number.isInteger(gid) && gid >= 0 && gid <= MAX_ID && gid !== ownGid);
  return [...new Set(gids)];
}

async function entriesOf(rootfs: string, file: string): Promise<string[][]> {
  const text = (await readInRoot(rootfs, file, MAX_BYTES)) ?? "";
  return text.split("\n").map((line) => line.split(":"));
}

function isNumber(text: string): boolean {
  return /^\d{1,10}$/.test(text);
}

function toId(text: string, what: string): number {
  if (isNumber(text) && Number(text) <= MAX_ID) return Number(text);
  throw new TerminalError("launch_failed", `${what} is not known in the image`);
}
