import type { ReplayBlame, ReplayEntityState, ReplayFact } from "#contracts";
import type { LiveFacts } from "../history/facts.ts";
import { clockText } from "../history/moment.ts";
import { factText } from "../lists/fact-text.ts";
import type { Answer } from "../lists/use-answer.ts";
import { useSession } from "../session.ts";
import classes from "./facts-table.module.css";

interface FactsTableProps {
  readonly entity: string;
  /** As the page knows them: at once, and while playing. */
  readonly live: LiveFacts | undefined;
  /** As the API tells them at rest: with all of the config, and with blame. */
  readonly answer: Answer<ReplayEntityState>;
}

/** What is known at the moment shown, and which event made it so. */
export function FactsTable({ live, answer }: FactsTableProps) {
  const facts: Readonly<Record<string, ReplayFact>> = { ...configOf(answer.value?.facts), ...live };
  const blame = new Map(answer.value?.blame.map((each) => [each.path, each]));
  const paths = Object.keys(facts).sort(byImportance);
  if (paths.length === 0) return <p className={classes.none}>Nothing is known of it at this moment.</p>;
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th>Fact</th>
          <th>Value</th>
          <th>Since</th>
        </tr>
      </thead>
      <tbody>
        {paths.map((path) => (
          <tr key={path}>
            <th scope="row">{path}</th>
            <td>{factText(path, facts[path]!)}</td>
            <td>
              <SetBy blame={blame.get(path)} value={facts[path]!} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The event that made a fact so. An answer of another moment says nothing about a value that is otherwise. */
function SetBy({ blame, value }: { readonly blame: ReplayBlame | undefined; readonly value: ReplayFact }) {
  const session = useSession();
  if (blame === undefined || blame.value !== value) return null;
  const { event } = blame;
  if (event === undefined) return <span title={blame.carriedOver}>earlier log</span>;
  return (
    <button
      type="button"
      className={classes.blame}
      title={`${event.type} by ${event.actor}\n${event.log}:${event.sequence}`}
      onClick={() => session.goTo(event.id)}
    >
      <span>{event.type}</span>
      <time>{clockText(event.atMs)}</time>
    </button>
  );
}

function configOf(facts: Readonly<Record<string, ReplayFact>> = {}): Record<string, ReplayFact> {
  return Object.fromEntries(Object.entries(facts).filter(([path]) => path.startsWith("config.")));
}

const FIRST = [
  "state",
  "error",
  "exit",
  "operation",
  "route",
  "host",
  "app",
  "name",
  "cordon",
  "promised",
  "capacity",
];

/** What is asked for most comes first, the config last. */
function byImportance(a: string, b: string): number {
  return rankOf(a) - rankOf(b) || (a < b ? -1 : 1);
}

function rankOf(path: string): number {
  const [head = ""] = path.split(".", 1);
  if (head === "config") return 99;
  const place = FIRST.indexOf(head);
  return place < 0 ? 50 : place;
}
