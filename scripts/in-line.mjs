/**
 * Exits 0 when node_modules has what package-lock.json says, 1 with the first difference otherwise. npm writes what it
 * laid down into node_modules/.package-lock.json. Runs on whatever Node the machine has, so it is plain JavaScript.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2];

function packagesOf(file) {
  return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
}

function isForHere({ os, cpu, libc }) {
  const admits = (list, value) => list === undefined || [list].flat().includes(value);
  return admits(os, process.platform) && admits(cpu, process.arch) && admits(libc, "glibc");
}

function difference() {
  const wanted = packagesOf("package-lock.json");
  const laid = packagesOf("node_modules/.package-lock.json");
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === "" || laid[path]?.version === version) continue;
    if (laid[path] === undefined && optional && !isForHere(wanted[path])) continue;
    return `${path} is ${laid[path]?.version ?? "missing"}, the lock says ${version}`;
  }
  return undefined;
}

try {
  const found = difference();
  if (found !== undefined) console.log(found);
  process.exitCode = found === undefined ? 0 : 1;
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
}
