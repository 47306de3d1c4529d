/** Colours that depend on the theme, as a canvas understands them. */
export interface Palette {
  readonly panel: string;
  readonly line: string;
  readonly ink: string;
  readonly faint: string;
  readonly raised: string;
  readonly accent: string;
  readonly bad: string;
}

/** Reads them from the style sheet. Asked anew when the theme changes. */
export function readPalette(): Palette {
  const probe = document.createElement("span");
  document.body.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    panel: read("--panel"),
    line: read("--line"),
    ink: read("--ink"),
    faint: read("--faint"),
    raised: read("--raised"),
    accent: read("--accent"),
    bad: read("--bad"),
  };
  probe.remove();
  return palette;
}
