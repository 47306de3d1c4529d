/** Why an answer is missing. */
export interface Trouble {
  /** `away`: nobody answers. `token`: it is missing or wrong. `refused`: the API said why not. */
  readonly kind: "away" | "token" | "refused";
  readonly message: string;
  /** Since when, epoch milliseconds. */
  readonly sinceMs: number;
}

/** The API did not answer as hoped. */
export class ApiTrouble extends Error implements Trouble {
  constructor(
    readonly kind: Trouble["kind"],
    message: string,
    readonly sinceMs: number,
  ) {
    super(message);
  }
}
