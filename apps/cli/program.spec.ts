import { describe, expect, it } from "@jest/globals";
import type { Command } from "commander";
import { CliContext } from "./context.ts";
import { makeProgram } from "./program.ts";
import { readEnvironment } from "./settings.ts";

const program = makeProgram(new CliContext(readEnvironment({}), "/nowhere"), "1.2.3");

/** Every command with all its words, "replay log". */
function commandsOf(command: Command, words: readonly string[] = []): [string, Command][] {
  return command.commands.flatMap((child) => {
    const path = [...words, child.name()];
    return [[path.join(" "), child] as [string, Command], ...commandsOf(child, path)];
  });
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

describe("every command", () => {
  const commands = commandsOf(program);

  it("is there", () => {
    const names = commands.map(([name]) => name);
    expect(names).toEqual(
      expect.arrayContaining(["up", "down", "status", "run", "replay log", "token create"]),
    );
  });

  it.each(commands)("%s has help with an example", (name, command) => {
    expect(helpOf(command)).toMatch(
      new RegExp(`Example:\n  \\$ drover ${name === "supervise" ? "up" : name}`),
    );
    expect(command.summary() + command.description()).not.toBe("");
  });

  it.each(commands.filter(([name, command]) => command.commands.length === 0 && name !== "supervise"))(
    "%s takes --json",
    (_name, command) => {
      expect(command.options.map(({ long }) => long)).toContain("--json");
    },
  );
});
