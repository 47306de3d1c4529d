import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { findTool } from "#testing";
import { TOKEN } from "./replay-server.ts";

/** Where the build puts the page. */
export function builtPage(): string {
  const folder = resolve("dist/console");
  if (!existsSync(`${folder}/index.html`)) throw new Error("the console is not built: run npm run build");
  return folder;
}

/** Debian's browser. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findTool("chromium");
  if (executablePath === undefined) throw new Error("chromium is missing: run apt-get install chromium");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A page, and everything that went wrong in it: errors, and what its content policy kept out. */
export interface OpenPage {
  readonly page: Page;
  readonly problems: string[];
}

/** Opens the console in a window of its own. `hash`: what comes after the token in the address. */
export async function openConsole(
  browser: Browser,
  url: string,
  hash = "",
  size = DESK,
  script = "",
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: size, acceptDownloads: true });
  if (script !== "") await context.addInitScript(script);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    // The browser tells of each answer that is none; what the page makes of it is what is tested.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
      problems.push(message.text());
  });
  await page.goto(`${url}/#token=${TOKEN}${hash === "" ? "" : `&${hash}`}`);
  return { page, problems };
}

const DESK = { width: 1440, height: 900 };
