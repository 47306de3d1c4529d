import ts from "typescript";
import { lineOf, type SourceFile, walk } from "./source-file.ts";

const MOST_LINES_OF_A_FILE = 400;
const MOST_LINES_OF_A_FUNCTION = 70;

/** Endings of type names that say nothing. */
const EMPTY_ENDING = /(Manager|Helper|Utils?|Base|Info|Data)$/;

/** Where the world may be read instead of asked for through a port (rule 2). Tests are free. */
const WORLD: readonly { readonly what: string; readonly places: RegExp; readonly instead: string }[] = [
  { what: "Date.now", places: /^libs\/kernel\//, instead: "take a Clock" },
  { what: "new Date()", places: /^libs\/kernel\//, instead: "take a Clock" },
  { what: "Math.random", places: /^libs\/kernel\//, instead: "take Ids" },
  { what: "randomUUID", places: /^libs\/kernel\//, instead: "take Ids" },
  {
    what: "process.env",
    places: /^apps\/[^/]+\/(main|config|settings)\.ts$/,
    instead: "let the app's main read it and hand the value on",
  },
];

/** Everything about the file that style forbids, as "path:line: what to do". */
export function untidy(file: SourceFile): string[] {
  const problems: string[] = [];
  const tell = (node: ts.Node, what: string) => {
    problems.push(`${file.path}:${lineOf(file.tree, node.getStart(file.tree))}: ${what}`);
  };
  if (file.lines > MOST_LINES_OF_A_FILE) {
    tell(file.tree, `has ${file.lines} lines, the most is ${MOST_LINES_OF_A_FILE}: split it by noun`);
  }
  walk(file.tree, (node) => {
    for (const what of [
      tooLong(file, node),
      emptyName(node),
      readsWorld(file, node),
      skipsTest(file, node),
    ]) {
      if (what !== undefined) tell(node, what);
    }
  });
  return problems;
}

function tooLong(file: SourceFile, node: ts.Node): string | undefined {
  if (!ts.isFunctionLike(node) || isSuite(node)) return undefined;
  const lines = lineOf(file.tree, node.end) - lineOf(file.tree, node.getStart(file.tree)) + 1;
  if (lines <= MOST_LINES_OF_A_FUNCTION) return undefined;
  return `a function of ${lines} lines, the most is ${MOST_LINES_OF_A_FUNCTION}: name its parts`;
}

/** A function that declares tests: a list to look things up in, not a thing to read through. */
function isSuite(node: ts.SignatureDeclaration): boolean {
  if (!("body" in node) || node.body === undefined || !ts.isBlock(node.body)) return false;
  return node.body.statements.some(
    (statement) =>
      ts.isExpressionStatement(statement) &&
      ts.isCallExpression(statement.expression) &&
      /^(describe|it|test)\b/.test(statement.expression.expression.getText()),
  );
}

function emptyName(node: ts.Node): string | undefined {
  if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node)) {
    return undefined;
  }
  const [ending] = EMPTY_ENDING.exec(node.name?.text ?? "") ?? [];
  return ending === undefined ? undefined : `"${ending}" in ${node.name!.text} says nothing: name what it is`;
}

function readsWorld(file: SourceFile, node: ts.Node): string | undefined {
  if (file.isTest || /^(libs\/testing|test|scripts)\//.test(file.path)) return undefined;
  const text = worldText(node);
  const rule = WORLD.find(({ what, places }) => what === text && !places.test(file.path));
  return rule === undefined ? undefined : `reads ${rule.what}: ${rule.instead}`;
}

function worldText(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    return isParameter(node.expression) ? undefined : `${node.expression.text}.${node.name.text}`;
  }
  if (!ts.isNewExpression(node) || node.expression.getText() !== "Date") return undefined;
  return node.arguments?.length ? undefined : "new Date()";
}

/** Whether the name means a parameter around it and not the global: runtimes have a `process` of their own. */
function isParameter({ text, parent }: ts.Identifier): boolean {
  for (let around: ts.Node | undefined = parent; around !== undefined; around = around.parent) {
    if (ts.isFunctionLike(around) && around.parameters.some(({ name }) => namesOf(name).includes(text)))
      return true;
  }
  return false;
}

function namesOf(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? namesOf(element.name) : []));
}

function skipsTest(file: SourceFile, node: ts.Node): string | undefined {
  if (!file.isTest || !ts.isCallExpression(node)) return undefined;
  const called = node.expression.getText();
  if (!/^((it|test|describe)\.(skip|only|todo|failing)\b|[xf](it|test|describe)\b)/.test(called))
    return undefined;
  return `${called} leaves tests out: make them pass or delete them`;
}
