/** What a machine sends is not HTTP as it can be passed on. */
export class Garbled extends Error {
  /** Where. */
  readonly reason: string;

  constructor(reason: string) {
    super(`no HTTP: ${reason}`);
    this.name = "Garbled";
    this.reason = reason;
  }
}
