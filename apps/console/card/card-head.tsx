import { Swatch } from "../fleet/legend.tsx";
import { isCrashed, isStuck, lookOf } from "../fleet/machine-look.ts";
import { type LiveFacts, textOf } from "../history/facts.ts";
import { LinkButton } from "../parts/link-button.tsx";
import { Tool } from "../parts/tool.tsx";
import { useSession } from "../session.ts";
import classes from "./card-head.module.css";

interface CardHeadProps {
  readonly kind: string;
  readonly id: string;
  readonly facts: LiveFacts | undefined;
}

/** What is selected, and how it is. */
export function CardHead({ kind, id, facts }: CardHeadProps) {
  const { link } = useSession();
  const name = facts === undefined ? "" : textOf(facts, "name");
  return (
    <div className={classes.head}>
      <div className={classes.title}>
        <h2>{name || id}</h2>
        <span className={classes.kind}>{kind}</span>
        <span className={classes.close}>
          <Tool icon="close" label="Close" onClick={() => link.push({ selection: undefined })} />
        </span>
      </div>
      <div className={classes.line}>
        {facts === undefined ? "It does not exist at this moment." : <State kind={kind} facts={facts} />}
        {name === "" ? null : <code>{id}</code>}
      </div>
    </div>
  );
}

function State({ kind, facts }: { readonly kind: string; readonly facts: LiveFacts }) {
  const host = textOf(facts, "host");
  if (kind === "host")
    return (
      <span>
        {textOf(facts, "region")} · {textOf(facts, "machines") || "0"} machines
      </span>
    );
  if (kind !== "machine") return <span>{[textOf(facts, "state"), host].filter(Boolean).join(" on ")}</span>;
  const more = [isCrashed(facts) ? "crashed" : "", isStuck(facts) ? "stuck" : ""].filter(Boolean).join(", ");
  return (
    <span className={classes.state}>
      <Swatch look={lookOf(facts)} />
      <span>{textOf(facts, "state")}</span>
      {more === "" ? null : <b>{more}</b>}
      {host === "" ? null : (
        <>
          <span>on</span> <HostLink hostId={host} />
        </>
      )}
    </span>
  );
}

function HostLink({ hostId }: { readonly hostId: string }) {
  const { link } = useSession();
  return <LinkButton onClick={() => link.push({ selection: `host/${hostId}` })}>{hostId}</LinkButton>;
}
