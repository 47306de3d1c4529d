import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { builtPage, launchBrowser, openConsole } from "./browser.ts";
import { type Answer, answersFrom, ReplayServer } from "./replay-server.ts";
import { CRASHING, goOn, STUCK, type Story, TWICE, tellStory } from "./story.ts";

describe("the console", () => {
  let story: Story;
  let answer: Answer;
  let server: ReplayServer;
  let browser: Browser;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    story = tellStory();
    answer = await answersFrom(story.fleet.events());
    server = await ReplayServer.start(answer, builtPage());
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.goAway();
  });
  beforeEach(async () => {
    await open("");
  });
  afterEach(async () => {
    // No error, and nothing that the page's content policy had to keep out.
    expect(problems).toEqual([]);
    await page.context().close();
  });

  async function open(hash: string): Promise<void> {
    await page?.context().close();
    ({ page, problems } = await openConsole(browser, server.url, hash));
    await moment().waitFor();
  }
  const moment = () => page.getByTestId("moment");
  const event = () => page.getByTestId("moment-event");
  const card = () => page.getByRole("complementary", { name: "Selection" });
  const inAddress = (key: string) => new URLSearchParams(new URL(page.url()).hash.slice(1)).get(key);
  /** Long enough for the address to be written. */
  const settled = async () => page.waitForTimeout(450);

  it("leads from a crashed machine to why, to the moment, to what differs, and to a test", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("crashed");
    await page.getByRole("button", { name: CRASHING, exact: true }).click();
    await card().getByText("crashed").waitFor();
    await card().getByText("137").waitFor();

    await page.getByRole("tab", { name: "Why" }).click();
    await card().getByText("What led to what").waitFor();
    expect(await card().textContent()).toMatch(/137|memory/);

    await page.getByRole("tab", { name: "Facts" }).click();
    const row = card().getByRole("row").filter({ hasText: "exit.exit_code" });
    await row.getByRole("button").click();
    await expectText(event(), "MachineExited");
    await page.keyboard.press("b");
    await page.keyboard.press("ArrowLeft");
    await card().getByText("started", { exact: true }).first().waitFor();
    await page.keyboard.press("a");

    await page.keyboard.press("d");
    const differences = page.getByRole("region", { name: "Differences" });
    await differences.getByText(new RegExp(`machine ${CRASHING}.*started → stopping`)).waitFor();
    await differences.getByText("exit.oom_killed").waitFor();

    const downloads: string[] = [];
    const texts: Promise<string>[] = [];
    page.on("download", (download) => {
      downloads.push(download.suggestedFilename());
      texts.push(download.path().then((path) => readFile(path, "utf8")));
    });
    await card().getByRole("button", { name: "Export" }).click();
    await card()
      .getByText(/\d+ of \d+ events/)
      .waitFor();
    await page.waitForTimeout(300);
    expect(downloads.map((name) => name.replace(/^[^.]*/, ""))).toEqual([".ndjson", ".spec.ts"]);
    const [fixture = "", test = ""] = await Promise.all(texts);
    expect(fixture).toContain(story.crashingId);
    expect(test).toContain("describe(");
  });

  it("says what a stuck machine waits for, since when, and what would release it", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type(STUCK);
    await page.getByRole("button", { name: STUCK, exact: true }).click();
    await page.getByRole("tab", { name: "Events" }).click();
    await card().getByRole("button").filter({ hasText: "StepFailed" }).last().click();
    const box = card().getByRole("note", { name: "Stuck" });
    await box.waitFor();
    const text = await box.textContent();
    expect(text).toContain("pull-image");
    expect(text).toContain("the registry does not answer");
    expect(text).toMatch(/Released by\S+/);
  });

  it("steps event by event, both ways, and comes back to the same world", async () => {
    const start = await page.getByTestId("moment-position").textContent();
    for (let step = 0; step < 40; step += 1) await page.keyboard.press("ArrowLeft");
    expect(await page.getByTestId("moment-position").textContent()).not.toBe(start);
    for (let step = 0; step < 40; step += 1) await page.keyboard.press("ArrowRight");
    expect(await page.getByTestId("moment-position").textContent()).toBe(start);
    await page.keyboard.press("ArrowRight");
    expect(await page.getByTestId("moment-position").textContent()).toBe(start);
  });

  it("shows after steps what the API shows at that moment", async () => {
    await page.keyboard.press("m");
    for (let step = 0; step < 60; step += 1) await page.keyboard.press("ArrowLeft");
    await settled();
    const stepped = await page.getByRole("table", { name: "Machines" }).textContent();
    await open(`m=${inAddress("m")}&view=list`);
    await settled();
    expect(await page.getByRole("table", { name: "Machines" }).textContent()).toBe(stepped);
  });

  it("plays, as fast as it is told, and pauses", async () => {
    await page.getByTestId("timeline").click({ position: { x: 60, y: 30 } });
    const start = await moment().textContent();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await moment()
      .filter({ hasNotText: start ?? "" })
      .waitFor();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Play" }).waitFor();
    const paused = await moment().textContent();
    await page.waitForTimeout(400);
    expect(await moment().textContent()).toBe(paused);
  });

  it("plays to the end of history and stops there", async () => {
    await page.getByRole("combobox", { name: "Speed" }).click();
    await page.getByRole("option", { name: "5000 events/s" }).click();
    await page.getByTestId("timeline").click({ position: { x: 5, y: 30 } });
    await page.keyboard.press("Space");
    const { sequence } = story.fleet.events().at(-1)!;
    await page
      .getByTestId("moment-position")
      .filter({ hasText: `#${sequence}` })
      .waitFor();
    await page.getByRole("button", { name: "Play" }).waitFor();
  });

  it("goes from violation to violation", async () => {
    await page.getByRole("slider", { name: "Moment" }).focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("Shift+ArrowRight");
    await expectText(event(), "MachineStarting");
    await card().getByRole("heading", { name: TWICE }).waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("Shift+ArrowLeft");
    await expectText(event(), "MachineStarting");
  });

  it("keeps moment, selection, view and marks in its address, and goes back and forward", async () => {
    await page.getByTestId("timeline").click({ position: { x: 500, y: 30 } });
    await settled();
    const first = { time: await moment().textContent(), address: inAddress("m") };
    await page.keyboard.press("a");
    await page.getByTestId("timeline").click({ position: { x: 900, y: 30 } });
    await settled();
    expect(await moment().textContent()).not.toBe(first.time ?? "");
    await page.goBack();
    await expectText(moment(), first.time ?? "");
    await page.goForward();
    await page.keyboard.press("/");
    await page.keyboard.type("host:host-2");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await settled();
    const shared = new URL(page.url()).hash.slice(1);
    expect(shared).not.toContain("token");
    const shown = await page.getByRole("table", { name: "Machines" }).textContent();
    const head = await card().getByRole("heading").first().textContent();
    await open(shared);
    await settled();
    expect(await page.getByRole("table", { name: "Machines" }).textContent()).toBe(shown);
    expect(await card().getByRole("heading").first().textContent()).toBe(head);
    expect(inAddress("a")).not.toBeNull();
  });

  it("follows live, and stands still when told", async () => {
    await page.keyboard.press("l");
    await page.getByRole("button", { name: "Follow live", pressed: true }).waitFor();
    await page.keyboard.press("m");
    const name = goOn(story, 1);
    server.happened(await answersFrom(story.fleet.events()));
    await page.getByRole("button", { name, exact: true }).waitFor();
    await page.keyboard.press("l");
    const stopped = await moment().textContent();
    const late = goOn(story, 2);
    server.happened(await answersFrom(story.fleet.events()));
    await page.waitForTimeout(700);
    expect(await moment().textContent()).toBe(stopped);
    expect(await page.getByRole("button", { name: late, exact: true }).count()).toBe(0);
  });

  it("keeps the last picture while the API is away, says since when, and goes on when it is back", async () => {
    await page.keyboard.press("m");
    await page.getByRole("button", { name: CRASHING, exact: true }).waitFor();
    await server.goAway();
    await page.getByRole("button", { name: CRASHING, exact: true }).click();
    await page.getByRole("slider", { name: "Moment" }).focus();
    await page.keyboard.press("l");
    const alarm = page.getByRole("alert");
    await alarm.waitFor();
    expect(await alarm.textContent()).toMatch(/No answer from the API since \d\d:\d\d:\d\d/);
    expect(await page.getByRole("button", { name: CRASHING, exact: true }).count()).toBe(1);
    await server.comeBack();
    await alarm.waitFor({ state: "detached", timeout: 15_000 });
    problems.length = 0;
  });

  it("asks for a token where the one it has is not known", async () => {
    await page.evaluate("sessionStorage.setItem('drover-token', 'wrong')");
    await page.reload();
    await page.getByLabel("Token").fill("fixture-token");
    await page.getByRole("button", { name: "Enter" }).click();
    await moment().waitFor();
  });

  it("tells its keys, and leaves them alone where somebody writes", async () => {
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor({ state: "hidden" });
    await page.keyboard.press("/");
    await page.keyboard.type("abl j");
    expect(await page.getByRole("textbox", { name: "Search machines" }).inputValue()).toBe("abl j");
    expect(inAddress("a")).toBeNull();
  });
});

async function expectText(locator: ReturnType<Page["locator"]>, text: string): Promise<void> {
  await locator.filter({ hasText: new RegExp(`^${text}$`) }).waitFor();
}
