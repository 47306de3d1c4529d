import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/**
 * The golden histories: what each release wrote, and what its fold made of it (I4). Run from the repository's root after a
 * build:
 *
 *   node scripts/golden.ts add RELEASE     records one as today's deciders make it; never touches one that exists
 *   node scripts/golden.ts compare REF     builds that commit in a folder of its own, and has both builds fold all of them
 *   node scripts/golden.ts fold FILE…      prints what this build folds each to; both builds are asked by this
 */
const DIRECTORY = "libs/timeline/golden";
/** Of a history in which everything happens: the spec says what is missing. */
const SEED = 5;
const TURNS = 1_000;

const [task, ...names] = process.argv.slice(2);
if (task === "add" && names.length === 1) await add(names[0]!);
else if (task === "compare" && names.length === 1) compare(names[0]!);
else if (task === "fold" && names.length > 0) await fold(names);
else {
  console.error("usage: golden.ts add RELEASE | compare REF | fold FILE…");
  process.exitCode = 2;
}

async function add(release: string): Promise<void> {
  const folder = join(DIRECTORY, release);
  if (existsSync(folder))
    throw new Error(`${folder} is there already: a golden history is never written again`);
  const { EventfulFleet } = await import("#testing");
  const { packGolden, recordGolden } = await golden();
  const { fleet } = new EventfulFleet(SEED, TURNS);
  const history = recordGolden(release, fleet.events());
  mkdirSync(folder);
  writeFileSync(join(folder, "history.ndjson.gz"), packGolden(history));
  console.log(
    `added ${folder}: ${history.messages.length} events, ${history.checkpoints.length} checkpoints`,
  );
}

/** Exit code 1 where the builds differ; 0 with a word about it where that commit cannot be asked. */
function compare(ref: string): void {
  const files = readdirSync(DIRECTORY).flatMap((release) => {
    const file = resolve(DIRECTORY, release, "history.ndjson.gz");
    return existsSync(file) ? [file] : [];
  });
  const folder = mkdtempSync(join(tmpdir(), "drover-golden-"));
  try {
    checkOut(ref, folder);
    if (!existsSync(join(folder, DIRECTORY, "golden-history.ts"))) {
      console.log(`skipped: ${ref} knows no golden histories`);
      return;
    }
    build(folder);
    for (const file of files) report(ref, file, folded(process.cwd(), file), folded(folder, file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(ref: string, file: string, ours: string[], theirs: string[]): void {
  const release = file.split("/").at(-2);
  const at = ours.findIndex((line, index) => line !== theirs[index]);
  if (at < 0 && ours.length === theirs.length) {
    console.log(`${release}: the same at ${ours.length} checkpoints by this build and by ${ref}`);
    return;
  }
  console.error(
    `${release}: this build and ${ref} differ first at: ${ours[at] ?? "its end"} | ${theirs[at] ?? "nothing"}`,
  );
  process.exitCode = 1;
}

function checkOut(ref: string, folder: string): void {
  const archive = execFileSync("git", ["archive", "--format=tar", ref], { maxBuffer: 1 << 30 });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  // That commit's build is asked by this program, as it may have none.
  cpSync("scripts/golden.ts", join(folder, "scripts/golden.ts"));
}

function build(folder: string): void {
  const compiler = "node_modules/typescript-7/bin/tsc";
  const options = ["-p", "tsconfig.build.json", "--outDir", "dist", "--noEmitOnError", "false"];
  execFileSync(process.execPath, [compiler, ...options], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** A line for each checkpoint, as the build in a folder has it. */
function folded(folder: string, file: string): string[] {
  const options = { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 } as const;
  const program = join(folder, "scripts/golden.ts");
  return execFileSync(process.execPath, [program, "fold", file], options).trimEnd().split("\n");
}

async function fold(files: readonly string[]): Promise<void> {
  const { checkpointsOf, unpackGolden } = await golden();
  for (const file of files) {
    for (const checkpoint of checkpointsOf(unpackGolden(await readFile(file)).messages)) {
      console.log(JSON.stringify(checkpoint));
    }
  }
}

/** Of the build in whose folder this program stands. */
async function golden(): Promise<typeof import("../libs/timeline/golden/golden-history.ts")> {
  return import(new URL("../dist/libs/timeline/golden/golden-history.js", import.meta.url).href);
}
