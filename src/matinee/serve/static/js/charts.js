/** Small charts as SVG, each with its figures as a table for those who do not see it. */

import { h } from "./dom.js";

const WIDTH = 520, HEIGHT = 300, LEFT = 46, RIGHT = 14, TOP = 30, BOTTOM = 42;

/**
 * @typedef {{x: number, y: number}} Point
 * @typedef {{name: string, points: Point[], dots?: boolean}} Series
 */

/** @param {string} tag @param {Record<string, any>} properties @param {...(Node | string)} children */
function s(tag, properties = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Round values within a range. @param {number} low @param {number} high @param {number} [n] */
function ticks(low, high, n = 5) {
  const rough = (high - low) / n, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((by) => by * power).find((by) => by >= rough) ?? rough;
  const values = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high * (1 + 1e-9); at++) {
    values.push(Number((at * step).toPrecision(10)));
  }
  return values;
}

/** @param {number[]} values @param {number} [air] @returns {[number, number]} */
function extent(values, air = 0.06) {
  const low = Math.min(...values), high = Math.max(...values);
  const pad = (high - low || Math.abs(high) * 0.1 || 1) * air;
  return [low - pad, high + pad];
}

/** @param {string} title @param {string} note @param {SVGElement} svg @param {string[]} columns @param {(string | number)[][]} rows */
function figure(title, note, svg, columns, rows) {
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${title}. The figures are in the table below it.`);
  return h("figure", {},
    h("figcaption", {}, h("strong", {}, title), note), svg,
    h("details", {}, h("summary", {}, "Figures"), h("table", { class: "figures" },
      h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((value, at) => h(
        at ? "td" : "th", at ? {} : { scope: "row" },
        typeof value === "number" ? String(Number(value.toFixed(4))) : value))))))));
}

/**
 * Lines or dots over a number.
 * @param {{title: string, note: string, x: string, y: string, series: Series[], diagonal?: boolean}} chart
 */
export function lines({ title, note, x, y, series, diagonal = false }) {
  const all = series.flatMap((each) => each.points);
  let across = extent(all.map((point) => point.x)), up = extent(all.map((point) => point.y));
  if (diagonal) across = up = extent([...across, ...up], 0);
  const px = (/** @type {number} */ v) => LEFT + ((v - across[0]) / (across[1] - across[0])) * (WIDTH - LEFT - RIGHT);
  const py = (/** @type {number} */ v) => HEIGHT - BOTTOM - ((v - up[0]) / (up[1] - up[0])) * (HEIGHT - TOP - BOTTOM);
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart" });
  for (const at of ticks(...up)) {
    svg.append(s("path", { class: "rule", d: `M${LEFT} ${py(at)}H${WIDTH - RIGHT}` }),
      s("text", { class: "tick", x: LEFT - 7, y: py(at) + 4, "text-anchor": "end" }, String(at)));
  }
  for (const at of ticks(...across)) {
    svg.append(s("text", { class: "tick", x: px(at), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, String(at)));
  }
  svg.append(s("text", { class: "tick", x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, x),
    s("text", { class: "tick", x: 0, y: 12 }, y));
  if (diagonal) {
    svg.append(s("path", { class: "level", d: `M${px(across[0])} ${py(across[0])}L${px(across[1])} ${py(across[1])}` }));
  }
  series.forEach((each, at) => {
    const place = each.points.map((point) => `${px(point.x).toFixed(1)} ${py(point.y).toFixed(1)}`);
    svg.append(s("path", { class: `curve s${at}`, d: `M${place.join("L")}` }));
    if (each.dots) {
      svg.append(...each.points.map((point) => s("circle", { class: `dot s${at}`, cx: px(point.x), cy: py(point.y), r: 4.5 })));
    }
  });
  if (series.length > 1) {
    // Each name stands over the end of its own curve; where ends are close, apart in the same order.
    const ends = series.map((each, at) => ({ at, y: py(each.points[each.points.length - 1].y) - 7, name: each.name }));
    ends.sort((a, b) => b.y - a.y);
    ends.forEach((end, place) => { if (place) end.y = Math.min(end.y, ends[place - 1].y - 17); });
    const over = TOP - 4 - ends[ends.length - 1].y;
    for (const { at, y, name } of ends) {
      svg.append(s("text", { class: `name halo s${at}`, x: WIDTH - RIGHT, y: y + Math.max(0, over), "text-anchor": "end" }, name));
    }
  }
  const xs = [...new Set(all.map((point) => point.x))].sort((a, b) => a - b);
  return figure(title, note, svg, [x, ...series.map((each) => each.name)], xs.map((at) => [
    Number(at.toFixed(4)), ...series.map((each) => each.points.find((point) => point.x === at)?.y ?? "")]));
}

/**
 * One value a row, with its interval; where the first is what it is about, the others are grey.
 * @param {{title: string, note: string, first?: boolean,
 *   rows: {name: string, value: number, interval?: [number, number] | null}[]}} chart
 */
export function ranges({ title, note, rows, first = false }) {
  const left = 118, high = rows.length * 40 + 34;
  const [low, top] = extent(rows.flatMap((row) => [row.value, ...(row.interval ?? [])]), 0.12);
  const px = (/** @type {number} */ v) => left + ((v - low) / (top - low)) * (WIDTH - left - RIGHT);
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} ${high}`, class: "chart" });
  for (const at of ticks(low, top)) {
    svg.append(s("path", { class: "rule", d: `M${px(at)} 4V${high - 28}` }),
      s("text", { class: "tick", x: px(at), y: high - 10, "text-anchor": "middle" }, String(at)));
  }
  rows.forEach((row, at) => {
    const y = 26 + at * 40, colour = first && at ? "other" : "s0";
    svg.append(s("text", { x: 0, y: y + 4 }, row.name));
    if (row.interval) svg.append(s("path", { class: `whisker ${colour}`, d: `M${px(row.interval[0])} ${y}H${px(row.interval[1])}` }));
    svg.append(s("circle", { class: `dot ${colour}`, cx: px(row.value), cy: y, r: 5.5 }),
      s("text", { class: "halo", x: px(row.value), y: y - 10, "text-anchor": "middle" }, row.value.toFixed(3)));
  });
  return figure(title, note, svg, ["", "value", "from", "to"],
    rows.map((row) => [row.name, row.value, row.interval?.[0] ?? "", row.interval?.[1] ?? ""]));
}
