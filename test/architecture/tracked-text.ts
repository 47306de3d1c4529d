/** What no file of the project says. Written in pieces, so that this file does not say it either. */
const FOREIGN: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  {
    pattern: words(
      "npmjs\\.(org|com)",
      "yarnpkg\\.com",
      "deb\\.debian\\.org",
      "ports\\.ubuntu\\.com",
      "pypi\\.org",
    ),
    instead: "name no package registry: the machine's own settings do",
  },
  {
    pattern: new RegExp(`(^|[\\s"'\`(=:])/(${["work", "root", "home/\\w+"].join("|")})/`),
    instead: "write a path from the root",
  },
  {
    pattern: new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`),
    instead: "do it, or file an issue",
  },
];

function words(...patterns: string[]): RegExp {
  return new RegExp(patterns.join("|"), "i");
}

/** Every line of a file that says what it must not, as "path:line: what to do". */
export function foreignText(path: string, text: string): string[] {
  if (path.startsWith("test/architecture/")) return [];
  return text.split("\n").flatMap((line, index) =>
    FOREIGN.flatMap(({ pattern, instead }) => {
      const [found] = pattern.exec(line) ?? [];
      return found === undefined ? [] : [`${path}:${index + 1}: says ${found.trim()}: ${instead}`];
    }),
  );
}
