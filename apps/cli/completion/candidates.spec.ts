import { describe, expect, it } from "@jest/globals";
import { CliContext } from "../context.ts";
import { makeProgram } from "../program.ts";
import { readEnvironment } from "../settings.ts";
import { candidatesFor } from "./candidates.ts";

const program = makeProgram(new CliContext(readEnvironment({}), "/nowhere"), "1.2.3");
const complete = (line: string) => candidatesFor(program, line.split(" "));

describe("completion", () => {
  it("knows commands, and commands of commands, and hides what is hidden", () => {
    expect(complete("st")).toEqual({ words: expect.arrayContaining(["start", "status", "stop"]) });
    expect(complete("").words).not.toContain("supervise");
    expect(complete("").words).not.toContain("complete");
    expect(complete("replay w").words).toEqual(["why", "whatif"]);
    expect(complete("--json replay lo").words).toEqual(["log"]);
  });

  it("knows each command's options", () => {
    expect(complete("exec web --t").words).toEqual(["--tty"]);
    expect(complete("cordon -").words).toEqual(
      expect.arrayContaining(["--reason", "--owner", "--for", "--json", "--help"]),
    );
  });

  it.each([
    ["stop we", "machine"],
    ["exec --tty ", "machine"],
    ["stop one tw", "machine"],
    ["cordon ho", "host"],
    ["machines --app ", "app"],
    ["apps delete ", "app"],
    ["replay log --host ", "host"],
    ["replay why we", "machine"],
    ["replay at now --volume ", "volume"],
    ["volumes extend da", "volume"],
    ["volumes restore ", "snapshot"],
  ])("leaves the names behind %j to the API", (line, named) => {
    expect(complete(line)).toEqual({ words: [], named });
  });

  it.each(["exec web -- st", "cordon --reason ", "run image "])("offers nothing behind %j", (line) => {
    expect(complete(line)).toEqual({ words: [] });
  });
});
