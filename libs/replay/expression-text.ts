import { type ASTNode, TypeError as CelTypeError, Environment, ParseError } from "@marcbachmann/cel-js";
import { RefusedError, refusal } from "#kernel";
import { ENTITY_KINDS, type EntityKind } from "#timeline";
import { EVENT_FACTS, type FactType, FREE_FACTS, KNOWN_FACTS } from "./expression-facts.ts";

/** One place of an expression where something of the world is read. */
export interface Reading {
  readonly of: EntityKind | "event" | "now";
  /** "route.state"; empty for the time. */
  readonly path: string;
  readonly type: FactType;
  /** Asked is whether it is there, not what it is. */
  readonly isPresence: boolean;
}

/** An expression that was understood. */
export interface ParsedExpression {
  readonly text: string;
  readonly readings: readonly Reading[];
  /** Whether it holds, given each reading's value in order: bigint, string or boolean. Throws what CEL throws. */
  readonly holds: (values: readonly unknown[]) => unknown;
}

const MOST_CHARACTERS = 2_000;
const LIMITS = {
  maxAstNodes: 400,
  maxDepth: 40,
  maxListElements: 100,
  maxMapEntries: 0,
  maxCallArguments: 4,
};

/** Each does a bounded amount of work for its argument. Regular expressions and loops do not. */
const CALLS: ReadonlySet<string> = new Set(["has", "size", "int", "double", "string"]);
const METHODS: ReadonlySet<string> = new Set(["contains", "startsWith", "endsWith", "size"]);

interface Place {
  readonly start: number;
  readonly end: number;
  readonly reading: Reading;
}

/**
 * Reads an expression of the Common Expression Language. What it reads of the world is found beforehand and becomes a
 * variable: so a misspelt fact is refused, a missing one is "", 0 or false, and nothing of the program is in reach.
 */
export function parseExpression(text: string): ParsedExpression {
  if (text.length > MOST_CHARACTERS) {
    throw new RefusedError(refusal("invalid", `the expression has more than ${MOST_CHARACTERS} characters`));
  }
  const free = new Environment({ unlistedVariablesAreDyn: true, limits: LIMITS });
  const places: Place[] = [];
  new Reader(text, places).read(orRefuse(text, () => free.parse(text)).ast, "string");
  places.sort((a, b) => a.start - b.start);
  const typed = new Environment({ unlistedVariablesAreDyn: false, limits: LIMITS });
  for (const [index, { reading }] of places.entries()) {
    typed.registerVariable(`v${index}`, reading.isPresence ? "bool" : reading.type);
  }
  const program = orRefuse(text, () => typed.parse(rewritten(text, places)));
  const { error, type } = program.check();
  if (error !== undefined)
    throw refuseAt(text, originalPlace(places, error.range?.start ?? 0), error.summary);
  if (type !== "bool") throw refuseAt(text, 0, `it is a ${type}: compare it with something`);
  return {
    text,
    readings: places.map(({ reading }) => reading),
    holds: (values) => program(Object.fromEntries(values.map((value, index) => [`v${index}`, value]))),
  };
}

/** Finds what an expression reads, and refuses what it may not say. */
class Reader {
  readonly #text: string;
  readonly #places: Place[];

  constructor(text: string, places: Place[]) {
    this.#text = text;
    this.#places = places;
  }

  /** `expected`: what a fact of no known type is taken for. */
  read(node: ASTNode, expected: FactType): void {
    switch (node.op) {
      case "value":
        this.#literal(node);
        break;
      case "id":
      case ".":
      case "[]":
        this.#fact(node, expected, false);
        break;
      case "call":
        this.#call(node.args[0], node.args[1], node);
        break;
      case "rcall":
        this.#method(node.args, node);
        break;
      case "list":
        for (const element of node.args) this.read(element, expected);
        break;
      case "?:":
        for (const part of node.args) this.read(part, expected);
        break;
      case "!_":
        this.read(node.args, "bool");
        break;
      case "-_":
        this.read(node.args, "int");
        break;
      case "&&":
      case "||":
        for (const side of node.args) this.read(side, "bool");
        break;
      case "map":
      case ".?":
      case "[?]":
        throw refuseAt(this.#text, node.start, "maps and optional values are not offered");
      default:
        this.#pair(node.args as [ASTNode, ASTNode], expected);
    }
  }

  #literal({ args, start }: ASTNode): void {
    if (["string", "number", "bigint", "boolean"].includes(typeof args)) return;
    const text =
      args === null
        ? "null is not offered: ask has(…) whether a fact is there"
        : "no such literal is offered";
    throw refuseAt(this.#text, start, text);
  }

  #pair([left, right]: readonly [ASTNode, ASTNode], expected: FactType): void {
    this.read(left, typeOf(right) ?? expected);
    this.read(right, typeOf(left) ?? expected);
  }

  #call(name: string, args: readonly ASTNode[], node: ASTNode): void {
    if (!CALLS.has(name))
      throw refuseAt(this.#text, node.start, `${name}() is not offered: there are ${listed(CALLS)}`);
    const [first] = args;
    if (name !== "has") for (const each of args) this.read(each, "string");
    else if (first !== undefined) this.#fact(first, "string", true, node);
  }

  #method([name, receiver, args]: readonly [string, ASTNode, ASTNode[]], node: ASTNode): void {
    if (!METHODS.has(name)) {
      throw refuseAt(this.#text, node.start, `.${name}() is not offered: there are ${listed(METHODS)}`);
    }
    for (const each of [receiver, ...args]) this.read(each, "string");
  }

  #fact(node: ASTNode, expected: FactType, isPresence: boolean, whole: ASTNode = node): void {
    const [root, ...parts] = this.#pathOf(node);
    const path = parts.join(".");
    const { start, end } = whole;
    const put = (of: Reading["of"], type: FactType) => {
      this.#places.push({ start, end, reading: { of, path, type, isPresence } });
    };
    if (root === "now_ms" && parts.length === 0) put("now", "int");
    else if (root === "event") put("event", this.#typeOf("event", EVENT_FACTS, path, node.start, isPresence));
    else {
      const kind = this.#kindOf(root, node.start);
      const isFree = parts[0] === FREE_FACTS[kind] && (parts.length > 1 || isPresence);
      put(kind, isFree ? expected : this.#typeOf(kind, KNOWN_FACTS[kind], path, node.start, isPresence));
    }
  }

  #kindOf(root: string | undefined, start: number): EntityKind {
    const kind = ENTITY_KINDS.find((each) => each === root);
    if (kind !== undefined) return kind;
    const offered = [...ENTITY_KINDS, "event", "now_ms"].join(", ");
    throw refuseAt(this.#text, start, `there is no ${root}: there are ${offered}`);
  }

  #typeOf(
    root: string,
    known: Readonly<Record<string, FactType>>,
    path: string,
    start: number,
    isPresence: boolean,
  ): FactType {
    const type = Object.hasOwn(known, path) ? known[path] : undefined;
    if (type !== undefined) return type;
    const under = Object.keys(known).filter((each) => path === "" || each.startsWith(`${path}.`));
    if (isPresence && path !== "" && under.length > 0) return "bool";
    const offered = (under.length > 0 ? under : Object.keys(known)).map((each) => `${root}.${each}`);
    const what = path === "" ? `${root} alone says nothing` : `there is no fact ${root}.${path}`;
    throw refuseAt(this.#text, start, `${what}: there are ${offered.join(", ")}`);
  }

  /** "machine", "route", "state": of a chain of members. */
  #pathOf(node: ASTNode): string[] {
    if (node.op === "id") return [node.args];
    if (node.op === ".") return [...this.#pathOf(node.args[0]), node.args[1]];
    if (node.op === "[]" && node.args[1].op === "value") {
      return [...this.#pathOf(node.args[0]), String(node.args[1].args)];
    }
    throw refuseAt(this.#text, node.start, "only members of machine, host, … can be read, by their names");
  }
}

/** What a literal is, or a list of them. */
function typeOf(node: ASTNode): FactType | undefined {
  if (node.op === "list") return node.args[0] && typeOf(node.args[0]);
  if (node.op !== "value") return undefined;
  const types = { string: "string", bigint: "int", number: "int", boolean: "bool" } as const;
  return types[typeof node.args as keyof typeof types];
}

/** The expression with a variable for each reading. */
function rewritten(text: string, places: readonly Place[]): string {
  let from = 0;
  let result = "";
  for (const [index, { start, end }] of places.entries()) {
    result += `${text.slice(from, start)}v${index}`;
    from = end;
  }
  return result + text.slice(from);
}

/** Where a place of the rewritten text is in what was written. */
function originalPlace(places: readonly Place[], place: number): number {
  let shift = 0;
  for (const [index, { start, end }] of places.entries()) {
    if (place <= start + shift) break;
    shift += `v${index}`.length - (end - start);
  }
  return Math.max(0, place - shift);
}

function orRefuse<T>(text: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof ParseError || thrown instanceof CelTypeError)) throw thrown;
    throw refuseAt(text, thrown.range?.start ?? 0, thrown.summary);
  }
}

function refuseAt(text: string, place: number, why: string): RefusedError {
  const at = text.length > 80 ? `${text.slice(0, 77)}…` : text;
  return new RefusedError(
    refusal("invalid", `"${at}", character ${place + 1}: ${why.replaceAll("\n", " ")}`),
  );
}

function listed(names: ReadonlySet<string>): string {
  return [...names].join(", ");
}
