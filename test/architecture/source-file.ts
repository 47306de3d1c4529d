import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Files that are no part of the build. */
export const TEST_FILE = /\.(spec|contract|fixture)\.ts$/;

/** A TypeScript file of the project, parsed as far as the rules need it. */
export interface SourceFile {
  /** From the root, "libs/bus/connect.ts". */
  readonly path: string;
  /** The unit that dependency rules speak of: "libs/bus", "apps/api", "test", "scripts". */
  readonly unit: string;
  /** Specs, contract suites, and fixtures that specs share: they may import #testing and the test runner. */
  readonly isTest: boolean;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Names of program files that its strings mention, without their ending: it may start them as processes. */
  readonly programs: ReadonlySet<string>;
  readonly tree: ts.SourceFile;
}

/** What a file imports or re-exports from. */
export interface Import {
  /** As written: "#kernel", "./x.ts", "zod". */
  readonly specifier: string;
  readonly line: number;
  /** The project's file that it means; undefined for packages. */
  readonly path: string | undefined;
}

/** Paths of all files of the project, from the root: what git tracks, and what it would. */
export function projectFiles(): string[] {
  // A checkout that another user owns is fine for reading: tests run as root.
  const git = ["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"];
  const listed = execFileSync("git", git, { cwd: ROOT, encoding: "utf8" });
  return listed.split("\n").filter((path) => path !== "" && existsSync(join(ROOT, path)));
}

export function readProjectFile(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** All TypeScript files of the project. */
export function sourceFiles(): SourceFile[] {
  return projectFiles()
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => parseSource(path, readProjectFile(path)));
}

export function parseSource(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const [top, name] = path.split("/");
  const imports = importsOf(tree, path);
  return {
    path,
    unit: top === "libs" || top === "apps" ? `${top}/${name}` : top!,
    isTest: TEST_FILE.test(path),
    lines: text.split("\n").length - 1,
    imports,
    programs: new Set(programsOf(text, imports)),
    tree,
  };
}

/** The line of a node, counted from 1. */
export function lineOf(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}

/** Visits every node of a tree. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function importsOf(tree: ts.SourceFile, path: string): Import[] {
  const found: Import[] = [];
  walk(tree, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const { text } = specifier;
    found.push({ specifier: text, line: lineOf(tree, specifier.pos), path: resolveSpecifier(path, text) });
  });
  return found;
}

/** The module named by a static import, a re-export, an import type or a dynamic import. */
function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return node.arguments[0];
  return undefined;
}

function programsOf(text: string, imports: readonly Import[]): string[] {
  const imported = new Set(imports.map(({ specifier }) => posix.basename(specifier, ".ts")));
  const mentioned = [...text.matchAll(/([\w.-]+)\.(?:ts|js|mjs)["'`]/g)].map(([, name]) => name!);
  return mentioned.filter((name) => !imported.has(name));
}

function resolveSpecifier(from: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return `libs/${specifier.slice(1)}/index.ts`;
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  return undefined;
}
