import type { ReplayEntityDiff, ReplayFact } from "#contracts";
import { clockText } from "../history/moment.ts";
import { factText } from "../lists/fact-text.ts";
import { LinkButton } from "../parts/link-button.tsx";
import { useSession } from "../session.ts";
import classes from "./diff-entry.module.css";

const SIGNS = { appeared: "+", changed: "~", gone: "−" } as const;

/** What is otherwise about one thing: a sentence, and each fact with the event that changed it. */
export function DiffEntry({ diff, isOpen }: { readonly diff: ReplayEntityDiff; readonly isOpen: boolean }) {
  const session = useSession();
  const { kind, title, entity, changes } = diff;
  return (
    <details className={classes.entry} open={isOpen}>
      <summary>
        <span className={classes.sign} data-kind={kind}>
          {SIGNS[kind]}
        </span>
        <button
          type="button"
          className={classes.title}
          onClick={() => session.link.push({ selection: `${entity.kind}/${entity.id}` })}
        >
          {title}
        </button>
      </summary>
      <table>
        <tbody>
          {changes.map(({ path, before, after, event }) => (
            <tr key={path}>
              <th scope="row">{path}</th>
              <td>
                <Fact path={path} fact={before} /> → <Fact path={path} fact={after} />
              </td>
              <td>
                <LinkButton onClick={() => session.goTo(event.id)}>
                  {event.type} <time>{clockText(event.atMs)}</time>
                </LinkButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function Fact({ path, fact }: { readonly path: string; readonly fact: ReplayFact | undefined }) {
  return fact === undefined ? <i>none</i> : <span>{factText(path, fact)}</span>;
}
