import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser } from "playwright-core";
import { builtPage, launchBrowser, openConsole } from "./browser.ts";
import { forgetFrames, readFrames, WATCH_FRAMES, watchProcessor } from "./frames.ts";
import { LongHistory } from "./long-history.ts";
import { longLife } from "./long-life.ts";
import { ReplayServer } from "./replay-server.ts";

const MACHINES = 1_000;
/** `DROVER_CONSOLE_EVENTS=1000000` makes the whole of it; what a frame takes does not depend on it. */
const EVENTS = Number(process.env.DROVER_CONSOLE_EVENTS ?? 30_000);
const PLAYED_MS = 6_000;

describe("the console over 1,000 machines and a long history", () => {
  const history = new LongHistory();
  let server: ReplayServer;
  let browser: Browser;

  beforeAll(
    async () => {
      for (const batch of longLife(MACHINES, EVENTS)) history.add(batch);
      history.end();
      server = await ReplayServer.start(history.answer, builtPage());
      browser = await launchBrowser();
    },
    60_000 + 4 * EVENTS,
  );
  afterAll(async () => {
    await browser?.close();
    await server?.goAway();
  });

  it("plays without stutter, and in bounded memory", async () => {
    const { page, problems } = await openConsole(browser, server.url, "m=0", undefined, WATCH_FRAMES);
    await page.getByTestId("moment").waitFor();
    await page.keyboard.press("Home");
    await page.getByRole("combobox", { name: "Speed" }).click();
    await page.getByText("5000 events/s").click();
    await page.getByTestId("timeline").click({ position: { x: 40, y: 30 } });
    await page.waitForTimeout(1_000);
    await forgetFrames(page);
    const cost = await watchProcessor(page);
    await page.keyboard.press("Space");
    await page.waitForTimeout(PLAYED_MS);
    const frames = await readFrames(page);
    const processorMs = (await cost()) / frames.count;
    const heap = await page.evaluate<number>("performance.memory.usedJSHeapSize");
    const figures = { events: history.events, ...frames, processorMs, heapMiB: Math.round(heap / 2 ** 20) };
    if (process.env.DROVER_CONSOLE_EVENTS !== undefined) console.log(JSON.stringify(figures));
    // Generous: other tests run beside this one. What a frame costs is seen with nothing else running.
    expect(figures.count).toBeGreaterThan(5);
    expect(figures.workP50).toBeLessThan(100);
    expect(figures.blockedMost).toBeLessThan(2_000);
    expect(figures.heapMiB).toBeLessThan(400);
    expect(problems).toEqual([]);
  });
});
