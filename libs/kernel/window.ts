/**
 * How much may be under way to somebody who says what he has taken: whoever sends waits for room here, so nothing between
 * the two has to hold more than `size`.
 */
export class Window {
  readonly #size: number;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Resolves, in the order of calls, once there is room for that much. More than all of it goes alone. */
  async take(amount: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#hasRoom(amount)) {
      this.#underWay += amount;
      return;
    }
    await new Promise<void>((go) => {
      this.#waiting.push(() => {
        if (!this.#hasRoom(amount)) return;
        this.#waiting.shift();
        this.#underWay += amount;
        go();
      });
    });
  }

  /** That much was taken. */
  give(amount: number): void {
    this.#underWay = Math.max(0, this.#underWay - amount);
    for (let before = -1; this.#waiting.length > 0 && before !== this.#waiting.length; ) {
      before = this.#waiting.length;
      this.#waiting[0]!();
    }
  }

  #hasRoom(amount: number): boolean {
    return this.#underWay === 0 || this.#underWay + amount <= this.#size;
  }
}
