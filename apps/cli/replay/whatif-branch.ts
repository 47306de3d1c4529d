import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { RefusedError, refusal } from "#kernel";

const run = promisify(execFile);
const BUILD_MS = 600_000;

/**
 * Builds another branch, tag or commit of this project in a folder of its own, for as long as `use` takes: what is checked out
 * here stays untouched. `use` is given the files that export its deciders.
 */
export async function withBranch<T>(
  root: string,
  ref: string,
  onProgress: (line: string) => void,
  use: (modules: readonly string[]) => Promise<T>,
): Promise<T> {
  const commit = await commitOf(root, ref);
  await mkdir(join(root, ".drover"), { recursive: true });
  const folder = await mkdtemp(join(root, ".drover/whatif-"));
  const tree = join(folder, "tree");
  const forget = async () => {
    await git(root, "worktree", "remove", "--force", tree).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
    await git(root, "worktree", "prune").catch(() => undefined);
  };
  const interrupted = () => void forget().finally(() => process.exit(130));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    onProgress(`building ${ref} (${commit.slice(0, 12)})`);
    await git(root, "worktree", "add", "--quiet", "--detach", tree, commit);
    await symlink(join(root, "node_modules"), join(tree, "node_modules"));
    await build(tree, ref);
    const modules = ["hosts", "control"].map((lib) => join(tree, "dist/libs", lib, "index.js"));
    for (const module of modules) {
      await access(module).catch(() => {
        throw new RefusedError(refusal("invalid", `${ref} has no ${module.slice(tree.length + 1)}`));
      });
    }
    return await use(modules);
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    await forget();
  }
}

async function commitOf(root: string, ref: string): Promise<string> {
  const found = await git(
    root,
    "rev-parse",
    "--verify",
    "--quiet",
    "--end-of-options",
    `${ref}^{commit}`,
  ).catch(() => undefined);
  if (found !== undefined) return found.trim();
  const isRepository = await git(root, "rev-parse", "--git-dir").catch(() => undefined);
  const message =
    isRepository === undefined
      ? `--branch: ${root} is no git repository: use --decider with a module`
      : `--branch: there is no branch, tag or commit ${ref}`;
  throw new RefusedError(refusal("not_found", message));
}

async function build(tree: string, ref: string): Promise<void> {
  const compiler = join(tree, "node_modules/typescript-7/bin/tsc");
  const words = [compiler, "-p", "tsconfig.build.json", "--outDir", "dist"];
  await run(process.execPath, words, { cwd: tree, timeout: BUILD_MS, maxBuffer: 16 * 1024 * 1024 }).catch(
    (thrown: { stdout?: string; message: string }) => {
      const [first] = (thrown.stdout ?? "").split("\n").filter((line) => line.includes("error"));
      throw new RefusedError(refusal("invalid", `${ref} does not build: ${first ?? thrown.message}`));
    },
  );
}

async function git(root: string, ...words: string[]): Promise<string> {
  const { stdout } = await run("git", ["-C", root, ...words], { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
