import type { Command, Option } from "commander";

/** What only the API knows. */
export type Named = "machine" | "app" | "host" | "volume" | "snapshot";

/** What may stand in place of the last word. */
export interface Candidates {
  readonly words: readonly string[];
  readonly named?: Named;
}

const NONE: Candidates = { words: [] };

/**
 * What the last of these words may become, by the command tree alone. `words`: those behind the program's own name, up to
 * the one at the cursor, which may be empty.
 */
export function candidatesFor(program: Command, words: readonly string[]): Candidates {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? "";
  // What follows is a machine's own command.
  if (before.includes("--")) return NONE;
  const { command, operands, open } = readWords(program, before);
  if (open !== undefined) return namedBy(open.attributeName(), command);
  if (current.startsWith("-"))
    return { words: optionsOf(command).filter((option) => option.startsWith(current)) };
  const subcommands = operands === 0 ? visible(command) : [];
  const argument = command.registeredArguments[operands] ?? lastIfVariadic(command);
  const { named } = argument === undefined ? NONE : namedBy(argument.name(), command);
  const starting = subcommands.filter((name) => name.startsWith(current));
  return { words: starting, ...(named === undefined ? {} : { named }) };
}

/** Follows words down the tree: the command that they name, how many operands it has, the option that wants a value. */
function readWords(program: Command, words: readonly string[]) {
  let command = program;
  let operands = 0;
  let open: Option | undefined;
  for (const word of words) {
    if (open !== undefined) {
      open = undefined;
    } else if (word.startsWith("-")) {
      const option = command.options.find(({ long, short }) => long === word || short === word);
      if (option?.required === true) open = option;
    } else {
      const child = operands === 0 ? command.commands.find((each) => each.name() === word) : undefined;
      if (child === undefined) operands += 1;
      else command = child;
    }
  }
  return { command, operands, open };
}

function optionsOf(command: Command): string[] {
  return [...command.options.flatMap(({ long }) => long ?? []), "--help"];
}

function visible(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((child) => child.name());
}

function lastIfVariadic({ registeredArguments }: Command) {
  const last = registeredArguments.at(-1);
  return last?.variadic === true ? last : undefined;
}

/** By what an argument or an option is called. */
function namedBy(name: string, command: Command): Candidates {
  const singular = name.replace(/s$/, "");
  if (singular === "machine" || singular === "app" || singular === "host")
    return { words: [], named: singular };
  const group = command.parent?.name();
  // Most questions to history are about a machine.
  if (group === "replay" && name === "what") return { words: [], named: "machine" };
  if ((group === "volumes" || group === "replay") && (name === "volume" || name === "snapshot"))
    return { words: [], named: name };
  const isApps = command.name() === "apps" || group === "apps";
  return name === "name" && isApps ? { words: [], named: "app" } : NONE;
}
