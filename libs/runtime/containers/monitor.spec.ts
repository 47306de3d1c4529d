import { describe, expect, it } from "@jest/globals";
import { plainly } from "./monitor.ts";

describe("what a runtime says when it cannot create a container", () => {
  it("is told without the dress of its log", () => {
    const said = [
      'time="2026-11-24T23:16:52Z" level=warning msg="unable to get oom kill count" error="no such file"',
      'time="2026-11-24T23:16:52Z" level=error msg="runc create failed: unable to start container process: exec: \\"/x\\": stat /x: no such file or directory"',
    ];
    expect(plainly(said.join("\n"))).toBe('exec: "/x": stat /x: no such file or directory');
  });

  it("is told as it is where it has none", () => {
    expect(plainly("executable file `/x` not found in $PATH\n")).toBe(
      "executable file `/x` not found in $PATH",
    );
  });
});
