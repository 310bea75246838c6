/** A plane of points on a canvas, to move about in. */

import { still } from "./dom.js";

/** @typedef {{x: number, y: number, radius: number, label: string}} Dot */

const LABELS = 70, REACH = 16, TRIED = 700;

export class Plane {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Dot[]} dots The most important first.
   * @param {{isRated: (at: number) => boolean, lit: (at: number) => boolean, pick: (at: number) => void,
   *   moved: () => void}} how
   */
  constructor(canvas, dots, how) {
    this.canvas = canvas;
    this.dots = dots;
    this.how = how;
    this.width = this.height = this.unit = 1;
    this.pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.selected = -1;
    this.hovered = -1;
    this.frame = 0;
    const [xs, ys] = [dots.map((dot) => dot.x), dots.map((dot) => dot.y)].map((values) => values.sort((a, b) => a - b));
    const cut = Math.floor(dots.length * 0.004);
    this.home = {
      x: (xs[cut] + xs[xs.length - 1 - cut]) / 2, y: (ys[cut] + ys[ys.length - 1 - cut]) / 2,
      across: xs[xs.length - 1 - cut] - xs[cut] || 1, up: ys[ys.length - 1 - cut] - ys[cut] || 1,
    };
    this.view = { x: this.home.x, y: this.home.y, zoom: 1 };
    this.listen();
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas, ratio = devicePixelRatio || 1;
    this.canvas.width = clientWidth * ratio;
    this.canvas.height = clientHeight * ratio;
    this.width = clientWidth;
    this.height = clientHeight;
    this.unit = 0.9 * Math.min(clientWidth / this.home.across, clientHeight / this.home.up);
    this.draw();
  }

  /** Where on the canvas a point is. @param {{x: number, y: number}} point @returns {[number, number]} */
  place(point) {
    const scale = this.unit * this.view.zoom;
    return [this.width / 2 + (point.x - this.view.x) * scale, this.height / 2 - (point.y - this.view.y) * scale];
  }

  /** Dots within the canvas, the most important first. @returns {number[]} */
  get visible() {
    return this.dots.flatMap((dot, at) => {
      const [x, y] = this.place(dot);
      return x >= 0 && y >= 0 && x <= this.width && y <= this.height ? [at] : [];
    });
  }

  /** Draw, in the next frame. */
  draw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.paint(); });
  }

  paint() {
    const { pen, dots, how } = this, style = getComputedStyle(this.canvas);
    const [bg, text, edge, ratedColour, gold] = ["--bg", "--text", "--edge", "--own", "--gold"].map((name) => style.getPropertyValue(name));
    const ratio = devicePixelRatio || 1, grow = Math.min(2.4, this.view.zoom ** 0.35);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    const seen = this.visible;
    const rank = (/** @type {number} */ at) => Number(how.lit(at)) + 2 * Number(how.isRated(at)) + 4 * Number(at === this.selected);
    const layers = seen.map((at) => ({ at, layer: rank(at) })).sort((a, b) => a.layer - b.layer || b.at - a.at);
    for (const { at, layer } of layers) {
      const [x, y] = this.place(dots[at]);
      pen.globalAlpha = layer ? 0.95 : 0.42;
      pen.fillStyle = how.isRated(at) ? ratedColour : how.lit(at) ? gold : layer ? text : edge;
      pen.beginPath();
      pen.arc(x, y, dots[at].radius * grow + (how.isRated(at) ? 1.5 : 0), 0, 2 * Math.PI);
      pen.fill();
      if (at === this.selected || at === this.hovered) {
        pen.globalAlpha = 1;
        pen.strokeStyle = text;
        pen.lineWidth = 1.6;
        pen.beginPath();
        pen.arc(x, y, dots[at].radius * grow + 4, 0, 2 * Math.PI);
        pen.stroke();
      }
    }
    this.label(layers.sort((a, b) => Number(b.at === this.hovered) - Number(a.at === this.hovered)
      || b.layer - a.layer || a.at - b.at).slice(0, TRIED), grow, { bg, text, ratedColour });
    how.moved();
  }

  /** Names for as many as there is room for. @param {{at: number, layer: number}[]} ranked @param {number} grow @param {Record<string, string>} colours */
  label(ranked, grow, { bg, text, ratedColour }) {
    const { pen, dots } = this;
    /** @type {[number, number, number, number][]} */
    const taken = [];
    pen.globalAlpha = 1;
    pen.lineJoin = "round";
    pen.lineWidth = 4;
    pen.strokeStyle = bg;
    for (const { at } of ranked) {
      if (taken.length >= LABELS) break;
      pen.font = `${at === this.selected || this.how.isRated(at) ? 600 : 400} 15px Newsreader, Georgia, serif`;
      const [x, y] = this.place(dots[at]), wide = pen.measureText(dots[at].label).width;
      const gap = dots[at].radius * grow + 5;
      const left = x + gap + wide > this.width ? x - gap - wide : x + gap;
      const box = /** @type {[number, number, number, number]} */ ([left - 6, y - 11, left + wide + 6, y + 11]);
      if (box[0] < -6 || taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
      taken.push(box);
      pen.strokeText(dots[at].label, left, y + 5);
      pen.fillStyle = this.how.isRated(at) ? ratedColour : text;
      pen.fillText(dots[at].label, left, y + 5);
    }
  }

  /** Dot at a place on the canvas, or -1. @param {number} x @param {number} y */
  at(x, y) {
    let best = -1, least = REACH;
    this.dots.forEach((dot, at) => {
      const [px, py] = this.place(dot), away = Math.hypot(px - x, py - y) - dot.radius;
      if (away < least) [best, least] = [at, away];
    });
    return best;
  }

  /** Zoom, with what is under a place staying there. @param {number} by @param {number} [x] @param {number} [y] */
  zoom(by, x = this.width / 2, y = this.height / 2) {
    const before = this.unit * this.view.zoom;
    this.view.zoom = Math.min(60, Math.max(0.6, this.view.zoom * by));
    const change = 1 / before - 1 / (this.unit * this.view.zoom);
    this.view.x += (x - this.width / 2) * change;
    this.view.y -= (y - this.height / 2) * change;
    this.draw();
  }

  /** @param {number} dx @param {number} dy In pixels. */
  pan(dx, dy) {
    const scale = this.unit * this.view.zoom;
    this.view.x -= dx / scale;
    this.view.y += dy / scale;
    this.draw();
  }

  /** Glide to a view. @param {{x: number, y: number, zoom: number}} to */
  fly(to) {
    const from = { ...this.view }, began = performance.now(), time = still() ? 0 : 450;
    const step = (/** @type {number} */ now) => {
      const share = time ? Math.min(1, (now - began) / time) : 1, eased = 1 - (1 - share) ** 3;
      this.view.x = from.x + (to.x - from.x) * eased;
      this.view.y = from.y + (to.y - from.y) * eased;
      this.view.zoom = from.zoom * (to.zoom / from.zoom) ** eased;
      this.draw();
      if (share < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  reset() {
    this.fly({ x: this.home.x, y: this.home.y, zoom: 1 });
  }

  listen() {
    const { canvas } = this;
    /** @type {Map<number, PointerEvent>} */
    const down = new Map();
    let moved = 0;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      if (!down.size) moved = 0;
      down.set(event.pointerId, event);
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (!before) {
        const at = this.at(event.offsetX, event.offsetY);
        canvas.classList.toggle("over", at >= 0);
        if (at !== this.hovered) { this.hovered = at; this.draw(); }
        return;
      }
      const [dx, dy] = [event.offsetX - before.offsetX, event.offsetY - before.offsetY];
      moved += Math.abs(dx) + Math.abs(dy);
      if (down.size === 1) this.pan(dx, dy);
      else {
        const other = /** @type {PointerEvent} */ ([...down.values()].find((each) => each.pointerId !== event.pointerId));
        const apart = (/** @type {PointerEvent} */ each) =>
          Math.hypot(each.offsetX - other.offsetX, each.offsetY - other.offsetY) || 1;
        this.pan(dx / 2, dy / 2);
        this.zoom(apart(event) / apart(before), (event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2);
      }
      down.set(event.pointerId, event);
    });
    const up = (/** @type {PointerEvent} */ event) => {
      const click = down.delete(event.pointerId) && event.type === "pointerup" && moved < 6;
      const at = click ? this.at(event.offsetX, event.offsetY) : -1;
      if (at >= 0) this.how.pick(at);
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => { this.hovered = -1; this.draw(); });
    canvas.addEventListener("dblclick", (event) => this.zoom(2, event.offsetX, event.offsetY));
    canvas.addEventListener("keydown", (event) => {
      const by = 60, keys = {
        ArrowLeft: () => this.pan(by, 0), ArrowRight: () => this.pan(-by, 0),
        ArrowUp: () => this.pan(0, by), ArrowDown: () => this.pan(0, -by),
        "+": () => this.zoom(1.4), "=": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4), 0: () => this.reset(),
      };
      const act = /** @type {Record<string, () => void>} */ (keys)[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
  }
}
