import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { listMachines } from "#fleet";
import { SimulatedFleet } from "#testing";
import { ListedHistory, Timeline, type World } from "#timeline";
import { EventApps, eventRow } from "./event-row.ts";
import { Investigation } from "./investigation.ts";
import { namedTables } from "./named-tables.ts";
import { stateRows } from "./state-rows.ts";
import { INVESTIGATION_TABLES } from "./tables.ts";

const folder = mkdtempSync(join(tmpdir(), "investigation-"));
const fleet = new SimulatedFleet(7);
fleet.join("host-a");
fleet.join("host-b");
for (let turn = 0; turn < 200; turn += 1) fleet.live();
const timeline = new Timeline({ history: new ListedHistory(fleet.events()), onUnreadable: () => undefined });

let world: World;
let open: Investigation | undefined;

beforeAll(async () => {
  world = await timeline.at({ kind: "now" });
  // Makes the empty database that all others begin with.
  await (await Investigation.open(join(folder, "empty.tar"))).close();
}, 300_000);
afterEach(async () => {
  await open?.close();
  open = undefined;
});
afterAll(() => rmSync(folder, { recursive: true }));

async function loaded(question: string): Promise<Investigation> {
  open = await Investigation.open(join(folder, "empty.tar"));
  for (const name of namedTables(question)) {
    if (name !== "events") await open.load(name, stateRows(name, world));
  }
  const apps = new EventApps((await timeline.beginning()).view);
  if (namedTables(question).includes("events")) {
    for await (const batch of timeline.history.arrivals()) {
      await open.load(
        "events",
        batch.map((event) => eventRow(event, apps)),
      );
    }
  }
  return open;
}

/** Rows of the answer, as objects. */
async function ask(question: string, investigation?: Investigation): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for await (const page of (investigation ?? (await loaded(question))).ask(question)) {
    for (const row of page.rows)
      rows.push(Object.fromEntries(page.columns.map((name, index) => [name, row[index]])));
  }
  return rows;
}

describe("an investigation", () => {
  it("counts events as they are, and knows each one's host, machine and app", async () => {
    const counts = await ask(
      "SELECT type, count(*) AS n, count(app) AS apps FROM events GROUP BY type ORDER BY type",
    );
    const events = fleet.events();
    const wanted = [...new Set(events.map(({ type }) => type))].sort().map((type) => {
      const ofType = events.filter((event) => event.type === type);
      const isOfApp = "machineId" in ofType[0]!.data || "appName" in ofType[0]!.data;
      return { type, n: ofType.length, apps: isOfApp ? ofType.length : 0 };
    });
    expect(counts).toEqual(wanted);
    const [first] = fleet.events();
    const [row] = await ask(`SELECT * FROM events WHERE id = '${first!.header.id}'`, open);
    expect(row).toMatchObject({ log: first!.log, sequence: 1, data: first!.data, host: null });
    expect(Date.parse(String(row?.at))).toBeGreaterThan(0);
  });

  it("has every table of the state, with the facts that diffs and blame speak of", async () => {
    const states = await ask(
      "SELECT id, state, facts->>'state' AS fact, updated_at FROM machines ORDER BY id",
    );
    expect(states.length).toBeGreaterThan(5);
    expect(states.every(({ state, fact }) => state === fact)).toBe(true);
    expect(states.map(({ id }) => id)).toEqual(
      listMachines(world.view)
        .map(({ machineId }) => machineId)
        .sort(),
    );
    await open?.close();
    const counts = Object.keys(INVESTIGATION_TABLES).map(
      (name) => `(SELECT count(*) FROM ${name}) AS ${name}`,
    );
    const [row] = await ask(`SELECT ${counts.join(", ")}`);
    expect(row).toMatchObject({
      events: fleet.events().length,
      hosts: 2,
      machines: states.length,
      apps: 1,
      volumes: 0,
    });
    expect(row?.routes).toBe([...world.routes.all()].length);
    const joined = await ask(
      "SELECT m.id, o.kind, p.host FROM machines m JOIN operations o ON o.of = 'machine/' || m.id JOIN placements p ON p.id = m.id",
      open,
    );
    expect(joined.length).toBeGreaterThan(0);
  });

  it("takes one question, which can only read, and says in a line what is wrong with others", async () => {
    const investigation = await loaded("machines");
    const refused = async (question: string) =>
      ask(question, investigation).then(
        () => "answered",
        (error: Error) => error.message,
      );
    expect(await refused("SELEC 1")).toMatch(/^SQL: syntax error at or near "SELEC" \(character 1\)$/);
    expect(await refused("SELECT nothing FROM machines")).toMatch(
      /^SQL: column "nothing" does not exist \(character 8\)$/,
    );
    expect(await refused("DELETE FROM machines")).toMatch(/^SQL: cannot execute DELETE in a read-only/);
    expect(await refused("SELECT 1; DROP TABLE machines")).toMatch(/^SQL: .*multiple commands/);
    expect(await ask("SELECT count(*) > 0 AS there FROM machines", investigation)).toEqual([{ there: true }]);
    expect(await ask("EXPLAIN SELECT 1", investigation)).toHaveLength(1);
  });

  it("takes whatever stands in an event", async () => {
    const investigation = await loaded("nothing");
    const [event] = fleet.events();
    const odd = { ...event!, data: { ...event!.data, message: "nul \0, half \ud800, not \\u0000, quote '" } };
    await investigation.load("events", [eventRow(odd as typeof event & object, new EventApps(world.view))]);
    expect(await ask("SELECT data->>'message' AS m FROM events", investigation)).toEqual([
      { m: "nul \ufffd, half \ufffd, not \\u0000, quote '" },
    ]);
  });

  it("gives long answers page by page", async () => {
    const pages: number[] = [];
    const investigation = await loaded("nothing");
    for await (const { rows } of investigation.ask("/* many */ SELECT generate_series(1, 1200)"))
      pages.push(rows.length);
    expect(pages).toEqual([500, 500, 200]);
  });
});

describe("the tables that a question is about", () => {
  it.each([
    ["SELECT 1", []],
    ['select * from "events" e join Machines m on m.id = e.machine', ["events", "machines"]],
    ["with x as (select * from routes) select * from x", ["routes"]],
  ])("%s", (question, names) => {
    expect(namedTables(question)).toEqual(names);
  });
});
