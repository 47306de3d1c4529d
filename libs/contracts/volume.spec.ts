import { describe, expect, it } from "@jest/globals";
import { firstIssue } from "./first-issue.ts";
import { mountedVolumesOf, mountsSchema } from "./volume.ts";

const volume = "vol_0123456789abcdef";
const data = { volume, path: "/data" };

function issueOf(mounts: unknown): string | undefined {
  const parsed = mountsSchema.safeParse(mounts);
  return parsed.success ? undefined : firstIssue(parsed.error);
}

describe("a machine's mounts", () => {
  it.each([
    [data],
    [{ ...data, path: "/var/lib/postgresql/data" }],
    [{ ...data, name: "data", size_gb: 3, encrypted: false, add_size_gb: 0, extend_threshold_percent: 0 }],
    [{ ...data, path: "/proc2/x" }],
  ])("may be %j, and are kept as given", (mount) => {
    expect(mountsSchema.parse([mount])).toEqual([mount]);
  });

  it.each([
    [{ path: "/data" }, "0.volume"],
    [{ ...data, volume: "vol_1" }, 'a volume id is "vol_"'],
    [{ ...data, encrypted: true }, "volumes are not encrypted"],
    [{ ...data, add_size_gb: 1, extend_threshold_percent: 80 }, "volumes do not grow by themselves"],
    [{ ...data, size_gb_limit: 10 }, "volumes do not grow by themselves"],
    ...["data", "/", "/.", "//", "/a/../b", "/proc", "/sys/fs", "/dev/shm", "/./proc", "/a\0b"].map(
      (path): [object, string] => [{ ...data, path }, "a mount's path is absolute"],
    ),
  ])("may not be %j", (mount, issue) => {
    expect(issueOf([mount])).toContain(issue);
  });

  it("are one at the most", () => {
    expect(issueOf([data, { ...data, path: "/more" }])).toContain("one volume at the most");
    expect(issueOf([])).toBeUndefined();
  });
});

describe("mountedVolumesOf", () => {
  it("reads configs of before there were volumes as mounting none", () => {
    expect(mountedVolumesOf({ mounts: [data] })).toEqual([volume]);
    expect(mountedVolumesOf({})).toEqual([]);
    expect(mountedVolumesOf({ mounts: "anything" })).toEqual([]);
    expect(mountedVolumesOf({ mounts: [{ volume: "old" }] })).toEqual([]);
  });
});
