import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SCRIPTS, type Shell } from "./scripts.ts";

/** Takes down how it is called, and knows one command. */
const PROGRAM = `#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
case "$*" in "complete -- st") echo status ;; esac
`;

/** Types into a zsh that has a terminal, and waits for each line to be done. */
const ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
enter() { zpty -w -n shell "$1; print do''ne"$'\\n'; zpty -r shell REPLY '*done*' }
enter "source $SCRIPT"
enter $'drover st\\t'
enter $'drover run image \\t'
`;

const LINES: Readonly<Record<Shell, string>> = {
  bash: `source "$SCRIPT"
COMP_WORDS=(drover st); COMP_CWORD=1; _drover; drover "\${COMPREPLY[@]}"
COMP_WORDS=(drover run image ""); COMP_CWORD=3; _drover; drover run image "\${COMPREPLY[@]}"`,
  zsh: ZSH,
  fish: `source $SCRIPT
drover (complete -C "drover st")
drover run image (complete -C "drover run image ")`,
};

const isHere = (shell: string) => spawnSync(shell, ["-c", "exit"]).status === 0;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-completion-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each(Object.keys(SCRIPTS) as Shell[])("the completion script for %s", (shell) => {
  const really = isHere(shell) ? it : it.skip;

  really(
    "asks the program what the word at the cursor may become, and takes its answer",
    () => {
      const [calls, script, bin] = ["calls", "script", "bin"].map((name) => join(folder, name));
      mkdirSync(bin!);
      writeFileSync(join(bin!, "drover"), PROGRAM, { mode: 0o755 });
      writeFileSync(script!, SCRIPTS[shell]);
      const PATH = `${bin}:${process.env.PATH}`;
      const env = { ...process.env, PATH, HOME: folder, CALLS: calls, SCRIPT: script };
      execFileSync(shell, ["-c", LINES[shell]], { env, cwd: folder, timeout: 20_000 });
      const asked = ["complete -- st", "status", "complete -- run image ", "run image"];
      expect(readFileSync(calls!, "utf8").trimEnd().split("\n")).toEqual(asked);
    },
    30_000,
  );
});
