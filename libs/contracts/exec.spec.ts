import { describe, expect, it } from "@jest/globals";
import { decodeExecFrame, type ExecFrame, encodeExecFrame } from "./exec.ts";

describe("frames of an exec", () => {
  const frames: readonly ExecFrame[] = [
    { kind: "stdin", data: Buffer.from([0, 255, 10]) },
    { kind: "stdout", data: Buffer.from("") },
    { kind: "stderr", data: Buffer.from("oh") },
    { kind: "stdin-end" },
    { kind: "resize", columns: 80, rows: 24 },
    { kind: "signal", name: "SIGINT" },
    { kind: "taken", bytes: 7 },
    { kind: "exit", exitCode: 137, exitSignal: 9 },
  ];
  it.each(frames.map((frame) => [frame.kind, frame] as const))("carry %s", (_kind, frame) => {
    expect(decodeExecFrame(encodeExecFrame(frame))).toEqual(frame);
  });

  const others = ["", "\x63", "\x04{", '\x05{"name":"SIGNOPE"}'];
  it.each(others)("are not %j", (text) => {
    expect(decodeExecFrame(Buffer.from(text))).toBeUndefined();
  });
});
