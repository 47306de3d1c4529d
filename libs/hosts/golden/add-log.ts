import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { makeGoldenLog } from "./history.ts";

/**
 * Writes the next golden host log; never touches one that exists (I4). Run from the repository's root after a build, when
 * hosts have new things to tell of: `node dist/libs/hosts/golden/add-log.js`.
 */
const DIRECTORY = "libs/hosts/golden";
const number = readdirSync(DIRECTORY).filter((name) => name.endsWith(".json")).length + 1;
const file = `${DIRECTORY}/host-log-${number}.json`;
if (existsSync(file)) throw new Error(`${file} is there already: a golden log is never written again`);
const { hashes, events } = makeGoldenLog(number, 400);
const lines = events.map((event) => `    ${JSON.stringify(event)}`);
writeFileSync(
  file,
  `{\n  "hashes": ${JSON.stringify(hashes)},\n  "events": [\n${lines.join(",\n")}\n  ]\n}\n`,
);
console.log(`added ${file}`);
