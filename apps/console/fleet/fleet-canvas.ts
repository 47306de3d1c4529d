import type { Player } from "../history/player.ts";
import { drawFleet } from "./draw-fleet.ts";
import { type FleetLayout, layOut } from "./layout.ts";
import { type Palette, readPalette } from "./palette.ts";

/** How long a change shines on the map. */
const SHINE_MS = 350;

/** Draws the map whenever something of it is otherwise, at most once a frame. */
export class FleetCanvas {
  readonly #canvas: HTMLCanvasElement;
  readonly #player: Player;
  readonly #onHeight: (height: number) => void;
  #palette: Palette = readPalette();
  #layout: FleetLayout | undefined;
  #membership = -1;
  #width = 0;
  #height = 0;
  #top = 0;
  #selection: string | undefined;
  #hovered: string | undefined;
  #frame: number | undefined;
  #seenVersion = 0;
  readonly #shining = new Map<string, number>();

  /** `onHeight`: told how high the whole map is. */
  constructor(canvas: HTMLCanvasElement, player: Player, onHeight: (height: number) => void) {
    this.#canvas = canvas;
    this.#player = player;
    this.#onHeight = onHeight;
  }

  get layout(): FleetLayout | undefined {
    return this.#layout;
  }

  resize(width: number, height: number): void {
    this.#width = width;
    this.#height = height;
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    this.#membership = -1;
    this.draw();
  }

  scroll(top: number): void {
    this.#top = top;
    this.draw();
  }

  show(selection: string | undefined, hovered: string | undefined): void {
    this.#selection = selection;
    this.#hovered = hovered;
    this.draw();
  }

  repaint(): void {
    this.#palette = readPalette();
    this.draw();
  }

  draw(): void {
    this.#frame ??= requestAnimationFrame(this.#drawNow);
  }

  stop(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  readonly #drawNow = (nowMs: number): void => {
    this.#frame = undefined;
    const ctx = this.#canvas.getContext("2d");
    if (ctx === null || this.#width === 0) return;
    this.#noteChanges(nowMs);
    ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    drawFleet(ctx, {
      ...{ layout: this.#layOut(), palette: this.#palette },
      ...{ top: this.#top, height: this.#height, width: this.#width },
      ...{ selection: this.#selection, hovered: this.#hovered },
      shines: (entity) => this.#shining.has(entity),
    });
    // What shines has to stop shining.
    if (this.#shining.size > 0) this.draw();
  };

  #layOut(): FleetLayout {
    const { scene } = this.#player;
    if (this.#layout === undefined || this.#membership !== scene.membership) {
      this.#membership = scene.membership;
      this.#layout = layOut(scene, this.#width, this.#height);
      this.#onHeight(this.#layout.height);
    }
    return this.#layout;
  }

  #noteChanges(nowMs: number): void {
    const { scene } = this.#player;
    for (const [entity, version] of scene.touched) {
      if (version > this.#seenVersion) this.#shining.set(entity, nowMs);
    }
    scene.touched.clear();
    this.#seenVersion = scene.version;
    for (const [entity, sinceMs] of this.#shining) {
      if (nowMs - sinceMs > SHINE_MS) this.#shining.delete(entity);
    }
  }
}
