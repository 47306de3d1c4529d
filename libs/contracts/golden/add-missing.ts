import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EventType } from "../event.ts";
import { VOCABULARY } from "../upcast.ts";
import { goldenName, makeGolden } from "./golden-file.ts";
import { type Shapes, shapeName, shapeOf } from "./shape.ts";

/**
 * Writes the golden files and shapes that do not exist yet; never touches one that does (I4). Run from the repository's root
 * after a build: `node dist/libs/contracts/golden/add-missing.js`.
 */
for (const type of VOCABULARY.types()) {
  const file = join("libs/contracts/golden", goldenName(type, VOCABULARY.currentVersionOf(type)));
  if (existsSync(file)) continue;
  writeFileSync(file, `${JSON.stringify(makeGolden(type as EventType), null, 2)}\n`);
  console.log(`added ${file}`);
}

const list = "libs/contracts/golden/shapes.json";
const released: Shapes = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : {};
const shapes = VOCABULARY.types().map((type) => [shapeName(type), shapeOf(type)] as const);
writeFileSync(list, `${JSON.stringify({ ...Object.fromEntries(shapes), ...released }, null, 1)}\n`);
