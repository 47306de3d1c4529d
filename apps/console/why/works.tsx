import { useState } from "react";
import { Tool } from "../parts/tool.tsx";
import type { Work } from "./cause-rows.ts";
import { Waterfall } from "./waterfall.tsx";
import classes from "./works.module.css";

/** Where the time of an operation went: of the last one, until another is chosen. */
export function Works({ works }: { readonly works: readonly Work[] }) {
  const [back, setBack] = useState(0);
  const place = Math.max(0, works.length - 1 - back);
  return (
    <>
      <div className={classes.head}>
        <h3>Where the time went</h3>
        <span>
          operation {place + 1} of {works.length}
        </span>
        <Tool
          icon="previous"
          label="Operation before"
          isDisabled={place === 0}
          onClick={() => setBack(back + 1)}
        />
        <Tool
          icon="next"
          label="Operation after"
          isDisabled={place === works.length - 1}
          onClick={() => setBack(back - 1)}
        />
      </div>
      <Waterfall bars={works[place]!} />
    </>
  );
}
