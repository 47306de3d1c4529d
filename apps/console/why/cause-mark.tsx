/** Letters that name the kinds of causes in the graph; a colour alone would not. */
const MARKS: Readonly<Record<string, readonly [letter: string, colour: string]>> = {
  request: ["R", "#0072b2"],
  command: ["C", "#0072b2"],
  bid: ["b", "#56b4e9"],
  refusal: ["!", "#d55e00"],
  decision: ["D", "#cc79a7"],
  operation: ["O", "#009e73"],
  step: ["s", "#009e73"],
  event: ["E", "#7b858f"],
  route: ["r", "#e69f00"],
  wait: ["w", "#d55e00"],
};

/** A node of the graph, in SVG. */
export function CauseMark({ kind, x, y }: { readonly kind: string; readonly x: number; readonly y: number }) {
  const [letter, colour] = MARKS[kind] ?? ["·", "#7b858f"];
  return (
    <g transform={`translate(${x} ${y})`}>
      <circle r="8" fill={colour} />
      <text textAnchor="middle" dy="3.5" fontSize="10" fontWeight="700" fill="#fff">
        {letter}
      </text>
    </g>
  );
}
