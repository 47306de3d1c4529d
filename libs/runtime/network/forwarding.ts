import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { listFolder } from "../files.ts";
import { type HostNames, runFolderOf } from "../names.ts";
import { BOX_FOLDER } from "./port-claims.ts";

const SWITCH = "/proc/sys/net/ipv4/ip_forward";
const FOLDER = `${BOX_FOLDER}/forwarding`;
/** Stands beside the hosts' marks when it was Drover that switched forwarding on. */
const SWITCHED_ON = "switched-on";

/** Lets the box forward packets for as long as one of its hosts needs it. The last one switches it off, if one of us switched it on. */
export class Forwarding {
  readonly #names: HostNames;

  constructor(names: HostNames) {
    this.#names = names;
  }

  async require(): Promise<void> {
    await Promise.all([FOLDER, this.#names.runFolder].map((folder) => mkdir(folder, { recursive: true })));
    await writeFile(`${FOLDER}/${this.#names.tag}`, "");
    if ((await readFile(SWITCH, "utf8")).trim() === "1") return;
    await writeFile(`${FOLDER}/${SWITCHED_ON}`, "");
    await writeFile(SWITCH, "1");
  }

  async release(): Promise<void> {
    await rm(`${FOLDER}/${this.#names.tag}`, { force: true });
    const marks = await listFolder(FOLDER);
    if (marks.some((mark) => mark !== SWITCHED_ON && existsSync(runFolderOf(mark)))) return;
    if (marks.includes(SWITCHED_ON)) await writeFile(SWITCH, "0");
    await rm(FOLDER, { recursive: true, force: true });
  }
}
