import { basename } from "node:path";
import { type Import, type SourceFile, TEST_FILE } from "./source-file.ts";

/**
 * Which libraries each library may import. Arrows point downwards only; what is not here may not be. A new library
 * gets its line here first.
 */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  contracts: ["kernel"],
  machines: ["kernel", "contracts"],
  volumes: ["kernel", "contracts"],
  hosts: ["kernel", "contracts", "machines", "volumes"],
  control: ["kernel", "contracts"],
  operations: ["kernel"],
  topology: ["kernel", "contracts"],
  bus: ["kernel", "contracts"],
  "event-log": ["kernel", "contracts"],
  fleet: ["kernel", "contracts", "machines", "volumes", "hosts", "control", "event-log"],
  routing: ["kernel", "contracts", "machines", "hosts", "control", "event-log", "fleet"],
  timeline: [
    ...["kernel", "contracts", "machines", "volumes", "hosts", "control", "event-log", "fleet", "routing"],
  ],
  replay: [
    ...["kernel", "contracts", "machines", "volumes", "hosts", "control", "event-log", "fleet", "routing"],
    "timeline",
  ],
  "read-model": [
    ...["kernel", "contracts", "machines", "volumes", "hosts", "control", "event-log", "fleet", "routing"],
    "timeline",
  ],
  runtime: ["kernel", "contracts"],
  service: ["kernel", "contracts"],
  "small-image": [],
};

/** May import every library, and be imported by tests only. */
const TESTING = "testing";

/** Who may import a package from outside; the first line that fits the package decides. Tests may import all. */
const PACKAGES: readonly { readonly name: RegExp; readonly users: RegExp; readonly instead: string }[] = [
  {
    name: /^@nats-io\/nkeys$/,
    users: /^libs\/(bus|event-log|topology)\//,
    instead: "let #topology make the credentials",
  },
  {
    name: /^@nats-io\//,
    users: /^libs\/(bus|event-log)\//,
    instead: "speak through #bus or #event-log",
  },
  {
    name: /^@marcbachmann\/cel-js$/,
    users: /^libs\/replay\//,
    instead: "let #replay read the expression",
  },
  { name: /^drizzle-orm/, users: /^libs\/read-model\//, instead: "ask #read-model, or fold events" },
  {
    name: /^@nestjs\//,
    users:
      /^(libs\/(bus|service)\/|apps\/[^/]+\/([^/]+|.*\.(module|controller|guard|filter|interceptor))\.ts$)/,
    instead: "write a plain class or function and wire it in the app's module",
  },
  {
    name: /^(?!node:)/,
    users: /^(apps\/|libs\/(contracts|topology|bus|event-log|runtime|service|read-model)\/)/,
    instead: "keep the domain pure: nothing but the project's own code",
  },
];

/** Every import of the file that the rules forbid, as "path:line: what to do". */
export function forbiddenImports(file: SourceFile): string[] {
  return file.imports.flatMap((used) => {
    const reason = used.path === undefined ? packageReason(file, used) : unitReason(file, used.path, used);
    return reason === undefined ? [] : [`${file.path}:${used.line}: imports ${used.specifier}: ${reason}`];
  });
}

function packageReason(file: SourceFile, { specifier }: Import): string | undefined {
  if (isFree(file)) return undefined;
  const rule = PACKAGES.find(({ name }) => name.test(specifier));
  return rule === undefined || rule.users.test(file.path) ? undefined : rule.instead;
}

function unitReason(file: SourceFile, target: string, { specifier }: Import): string | undefined {
  if (TEST_FILE.test(target) && !isFree(file)) return "only tests import contract suites and fixtures";
  const unit = target.split("/").slice(0, 2).join("/");
  if (target.startsWith(`${file.unit}/`))
    return specifier.startsWith("#") ? "import the file itself" : undefined;
  if (!unit.startsWith("libs/")) {
    return isFree(file) && !file.unit.startsWith("apps/")
      ? undefined
      : "apps and tests are imported by nobody: move what both need down into a library";
  }
  // Scripts run from the source text, where # means what was built.
  if (file.unit === "scripts") return undefined;
  if (!specifier.startsWith("#")) return `import it as #${unit.slice(5)}, from what its index.ts exports`;
  return layerReason(file, unit.slice(5));
}

function layerReason(file: SourceFile, lib: string): string | undefined {
  if (lib === TESTING) return isFree(file) ? undefined : "production code never imports what only tests use";
  const below = file.unit.startsWith("libs/") ? LAYERS[file.unit.slice(5)] : undefined;
  if (!(lib in LAYERS)) return `give ${lib} its line in test/architecture/layers.ts`;
  if (file.unit.startsWith("apps/") || isFree(file) || below?.includes(lib)) return undefined;
  return `${file.unit} may import ${below?.join(", ") || "no library"}: move the code down, or turn it round with a port`;
}

/** Tests, and what only tests use. */
function isFree(file: SourceFile): boolean {
  return file.isTest || /^(libs\/testing|test|scripts)\//.test(file.path);
}

/** A ring of files that import each other, as "a → b → a"; undefined when there is none. */
export function importCycle(files: readonly SourceFile[]): string | undefined {
  const targets = new Map(files.map((file) => [file.path, file.imports.flatMap(({ path }) => path ?? [])]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(" → ");
    if (done.has(path)) return undefined;
    for (const target of targets.get(path) ?? []) {
      const cycle = visit(target, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const { path } of files) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Files that nothing reaches from an entry (a spec, a main, a script that people run) by import or as a process. */
export function deadFiles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const alive = new Set<string>();
  const reach = (path: string): void => {
    if (alive.has(path)) return;
    alive.add(path);
    const file = byPath.get(path);
    for (const { path: target } of file?.imports ?? []) if (target !== undefined) reach(target);
    for (const other of files) if (file?.programs.has(basename(other.path, ".ts"))) reach(other.path);
  };
  for (const { path } of files) if (ENTRY.test(path)) reach(path);
  return files.map(({ path }) => path).filter((path) => !alive.has(path));
}

const ENTRY =
  /\.spec\.ts$|^apps\/[^/]+\/(main\.tsx?|vite\.config\.ts)$|^scripts\/[^/]+\.ts$|^libs\/[^/]+\/golden\/add-[^/]+\.ts$|^test\/bench\/[^/]+\.bench\.ts$/;
