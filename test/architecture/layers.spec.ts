import { readdirSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { deadFiles, forbiddenImports, importCycle, LAYERS } from "./layers.ts";
import { parseSource, sourceFiles } from "./source-file.ts";

describe("the project's imports", () => {
  const files = sourceFiles();

  it("follow the layers", () => {
    expect(files.flatMap(forbiddenImports)).toEqual([]);
  });

  it("form no cycle", () => {
    expect(importCycle(files)).toBeUndefined();
  });

  it("reach every file", () => {
    expect(deadFiles(files).map((path) => `${path}: nothing imports it: use it or delete it`)).toEqual([]);
  });

  it("go downwards in the table of layers itself", () => {
    const names = Object.keys(LAYERS);
    const upwards = names.flatMap((name, place) =>
      LAYERS[name]!.filter((below) => names.indexOf(below) >= place).map((below) => `${name} → ${below}`),
    );
    expect(upwards).toEqual([]);
  });

  it("are ruled for every library there is", () => {
    const unruled = readdirSync("libs").filter((name) => name !== "testing" && !(name in LAYERS));
    expect(unruled.map((name) => `give ${name} its line in test/architecture/layers.ts`)).toEqual([]);
  });
});

describe("a forbidden import", () => {
  it.each([
    ["libs/machines/x.ts", "#bus", "may import kernel, contracts"],
    ["libs/kernel/x.ts", "#contracts", "may import no library"],
    ["libs/hosts/x.ts", "#testing", "never imports what only tests use"],
    ["libs/bus/x.ts", "#topology", "turn it round with a port"],
    ["libs/bus/x.ts", "../kernel/clock.ts", "import it as #kernel"],
    ["libs/bus/x.ts", "#bus", "import the file itself"],
    ["libs/bus/x.ts", "#unheard-of", "give unheard-of its line"],
    ["libs/runtime/x.ts", "./y.contract.ts", "only tests"],
    ["libs/kernel/x.ts", "../../apps/api/main.ts", "imported by nobody"],
    ["apps/api/x.ts", "../scheduler/main.ts", "imported by nobody"],
    ["apps/api/x.ts", "@nats-io/transport-node", "through #bus"],
    ["libs/topology/x.ts", "@nats-io/jetstream", "through #bus"],
    ["apps/api/x.ts", "drizzle-orm/pg-core", "fold events"],
    ["apps/api/machines/create.ts", "@nestjs/common", "plain class"],
    ["libs/machines/x.ts", "zod", "keep the domain pure"],
  ])("of %s from %s is named with what to do", (path, specifier, advice) => {
    const [problem] = forbiddenImports(parseSource(path, `\nimport { a } from "${specifier}";`));
    expect(problem).toMatch(new RegExp(`^${path}:2: imports ${specifier}: .*${advice}`));
  });

  it.each([
    ["libs/machines/x.ts", "#kernel"],
    ["libs/machines/x.spec.ts", "#testing"],
    ["libs/topology/x.ts", "@nats-io/nkeys"],
    ["libs/topology/x.spec.ts", "@nats-io/jetstream"],
    ["libs/bus/x.ts", "@nats-io/transport-node"],
    ["apps/api/api.module.ts", "@nestjs/common"],
    ["apps/api/x.ts", "#fleet"],
    ["libs/testing/x.ts", "#topology"],
  ])("is not that of %s from %s", (path, specifier) => {
    expect(forbiddenImports(parseSource(path, `import { a } from "${specifier}";`))).toEqual([]);
  });

  it("is also found in re-exports, import types and dynamic imports", () => {
    const text = 'export * from "#bus";\ntype A = import("#bus").A;\nconst b = await import("#bus");';
    expect(forbiddenImports(parseSource("libs/machines/x.ts", text))).toHaveLength(3);
  });
});

describe("the import graph", () => {
  const file = (path: string, ...imports: string[]) =>
    parseSource(path, imports.map((specifier) => `import "${specifier}";`).join("\n"));

  it("shows a cycle", () => {
    const files = [
      file("libs/a/x.ts", "./y.ts"),
      file("libs/a/y.ts", "./z.ts"),
      file("libs/a/z.ts", "./y.ts"),
    ];
    expect(importCycle(files)).toBe("libs/a/y.ts → libs/a/z.ts → libs/a/y.ts");
  });

  it("takes a file for alive that another starts as a process", () => {
    const starter = parseSource("apps/api/main.ts", 'spawn(resolve("dist/test/host/faulty.js"));');
    expect(deadFiles([starter, file("test/host/faulty.ts")])).toEqual([]);
  });

  it("shows dead files", () => {
    const files = [file("apps/api/main.ts", "#a"), file("libs/a/index.ts"), file("libs/a/y.ts", "./z.ts")];
    expect(deadFiles(files)).toEqual(["libs/a/y.ts"]);
  });
});
