import { execFileSync } from "node:child_process";
import { describe, expect, it } from "@jest/globals";
import { parseSource, projectFiles, readProjectFile, sourceFiles } from "./source-file.ts";
import { untidy } from "./tidy.ts";
import { foreignText } from "./tracked-text.ts";

describe("the project's files", () => {
  it("are tidy", () => {
    expect(sourceFiles().flatMap(untidy)).toEqual([]);
  });

  it("name nothing of the place where they were written, and leave nothing for later", () => {
    const texts = projectFiles().filter((path) => !/\.(png|ico|woff2|gz)$/.test(path));
    expect(texts.flatMap((path) => foreignText(path, readProjectFile(path)))).toEqual([]);
  });

  it("are shell that parses, where they are shell", () => {
    const scripts = projectFiles().filter(
      (path) => path === "drover" || path === ".ci/run" || path.endsWith(".sh"),
    );
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) execFileSync("sh", ["-n", script]);
  });
});

describe("an untidy file", () => {
  const lines = (count: number) => "  f();\n".repeat(count);

  it.each([
    ["has too many lines", lines(401), "split it by noun"],
    ["has a long function", `function f() {\n${lines(69)}}`, "a function of 71 lines"],
    ["has a long method", `class A {\nm() {\n${lines(69)}}\n}`, "a function of 71 lines"],
    ["names a type emptily", "interface MachineInfo {}", '"Info" in MachineInfo says nothing'],
    ["reads the wall clock", "const t = Date.now();", "take a Clock"],
    ["reads it another way", "const t = new Date();", "take a Clock"],
    ["throws dice", "const r = Math.random();", "take Ids"],
    ["mints an id", "const id = randomUUID();", "take Ids"],
    ["reads the environment", "const v = process.env.HOME;", "app's main"],
  ])("that %s is named with what to do", (_name, text, advice) => {
    const problems = untidy(parseSource("libs/bus/x.ts", text));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^libs\/bus\/x\.ts:\d+: /);
    expect(problems[0]).toContain(advice);
  });

  it.each(["it.only", "describe.skip", "xit", "fdescribe", "test.todo"])(
    "leaves tests out with %s",
    (call) => {
      expect(untidy(parseSource("libs/bus/x.spec.ts", `${call}("a", () => {});`))).toHaveLength(1);
    },
  );

  it.each([
    ["libs/kernel/clock.ts", "Date.now();"],
    ["apps/api/main.ts", "process.env;"],
    ["libs/bus/x.ts", "new Date(0);"],
    ["libs/runtime/x.ts", "function f({ process }: Spec) { return process.env; }"],
    ["libs/bus/x.spec.ts", `describe("all", () => {\n${lines(100)}it("a", f);\n});`],
  ])("is not %s with %j", (path, text) => {
    expect(untidy(parseSource(path, text))).toEqual([]);
  });

  it.each([
    [`see /wo${"rk"}/main`],
    [`/${"root"}/.config`],
    [`// TO${"DO"} later`],
    [`https://registry.${"npmjs"}.org/x`],
    [`deb.${"debian"}.org`],
  ])("must not say %s", (text) => {
    expect(foreignText("README.md", `first line\n${text}`)[0]).toMatch(/^README\.md:2: /);
  });
});
