import type { ReactNode } from "react";
import classes from "./link-button.module.css";

interface LinkButtonProps {
  readonly onClick: () => void;
  readonly children: ReactNode;
}

/** Leads to another moment or selection: looks like a link, and loads no page. */
export function LinkButton({ onClick, children }: LinkButtonProps) {
  return (
    <button type="button" className={classes.link} onClick={onClick}>
      {children}
    </button>
  );
}
