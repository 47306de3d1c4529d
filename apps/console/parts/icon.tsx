/** Paths in a box of 16 by 16. */
const PATHS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  next: "M3 3v10l6-5zM10 3h2v10h-2z",
  previous: "M13 3v10L7 8zM4 3h2v10H4z",
  nextFlag: "M2 3v10l5-5zM9 2h1.4v12H9zM10.4 2.6h4.2l-1.4 2.4 1.4 2.4h-4.2z",
  previousFlag: "M7 3v10L2 8zM9 2h1.4v12H9zM10.4 2.6h4.2l-1.4 2.4 1.4 2.4h-4.2z",
  live: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM3.6 3.6a6.2 6.2 0 0 0 0 8.8l1-1a4.8 4.8 0 0 1 0-6.8zM12.4 3.6a6.2 6.2 0 0 1 0 8.8l-1-1a4.8 4.8 0 0 0 0-6.8z",
  plus: "M7.2 3h1.6v4.2H13v1.6H8.8V13H7.2V8.8H3V7.2h4.2z",
  minus: "M3 7.2h10v1.6H3z",
  all: "M2 3h1.6v10H2zM12.4 3H14v10h-1.6zM5 7.2h6v1.6H5z",
  close: "M4.1 3 8 6.9 11.9 3 13 4.1 9.1 8l3.9 3.9-1.1 1.1L8 9.1 4.1 13 3 11.9 6.9 8 3 4.1z",
  download: "M7.2 2h1.6v6l2.3-2.3 1.1 1.1L8 11 3.8 6.8l1.1-1.1L7.2 8zM3 12.4h10V14H3z",
} as const;

export type IconName = keyof typeof PATHS;

/** A small picture in the colour of the text around it. Whatever holds it says what it means. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" fill="currentColor" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
