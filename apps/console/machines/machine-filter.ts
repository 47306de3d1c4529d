import { isCrashed, isGone, isStuck } from "../fleet/machine-look.ts";
import { type LiveFacts, textOf } from "../history/facts.ts";

/** A machine as the list shows it. */
export interface MachineRow {
  readonly id: string;
  readonly name: string;
  readonly app: string;
  readonly state: string;
  readonly host: string;
  /** What it does, or what is wrong with it. */
  readonly note: string;
  readonly facts: LiveFacts;
}

/** The machines that a search fits, by name. Words that are all to fit; "crashed" and "stuck" mean what the map shows so. */
export function machineRows(machines: ReadonlyMap<string, LiveFacts>, search: string): MachineRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const wantsGone = words.some((word) => "destroyed".startsWith(word) && word.length > 3);
  const rows: MachineRow[] = [];
  for (const [id, facts] of machines) {
    if (isGone(facts) && !wantsGone) continue;
    const row = rowOf(id, facts);
    if (words.every((word) => fits(row, word))) rows.push(row);
  }
  return rows.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }) || (a.id < b.id ? -1 : 1));
}

function rowOf(id: string, facts: LiveFacts): MachineRow {
  return {
    id,
    name: textOf(facts, "name"),
    app: textOf(facts, "app"),
    state: textOf(facts, "state"),
    host: textOf(facts, "host"),
    note: noteOf(facts),
    facts,
  };
}

function fits({ facts, ...row }: MachineRow, word: string): boolean {
  if (word === "crashed") return isCrashed(facts);
  if (word === "stuck") return isStuck(facts);
  const [field, value] = word.split(":", 2);
  if (value !== undefined)
    return textOf({ ...facts, ...row }, field!)
      .toLowerCase()
      .includes(value);
  return [row.id, row.name, row.app, row.state, row.host].some((text) => text.toLowerCase().includes(word));
}

function noteOf(facts: LiveFacts): string {
  const step = textOf(facts, "operation.step");
  const error = textOf(facts, "operation.error.message") || textOf(facts, "error.message");
  if (step !== "") return [`${textOf(facts, "operation.kind")} → ${step}`, error].filter(Boolean).join(": ");
  if (error !== "") return error;
  if (!isCrashed(facts)) return "";
  return facts["exit.oom_killed"] === true ? "out of memory" : `exit code ${textOf(facts, "exit.exit_code")}`;
}
