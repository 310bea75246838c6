/** Ratings exported by Letterboxd, IMDb or Goodreads: read in the browser, titles matched by the server. */

import { post, Problem } from "./api.js";
import { byId } from "./dom.js";

const AT_ONCE = 100;

/**
 * The rows of a CSV file (RFC 4180) as objects by heading.
 * @param {string} text
 * @returns {Record<string, string>[]}
 */
export function parse(text) {
  /** @type {string[][]} */
  const rows = [[]];
  let field = "", quoted = false;
  const end = () => { rows[rows.length - 1].push(field); field = ""; };
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') field += sign;
      else if (text[at + 1] === '"') { field += '"'; at++; }
      else quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === ",") end();
    else if (sign === "\n") { end(); rows.push([]); }
    else if (sign !== "\r") field += sign;
  }
  end();
  const [head = [], ...body] = rows.filter((row) => row.length > 1);
  const names = head.map((name) => name.replace(/^\ufeff/, "").trim());
  return body.map((row) => Object.fromEntries(names.map((name, at) => [name, (row[at] ?? "").trim()])));
}

/**
 * What a row says, if it is of a kind that is known.
 * @param {Record<string, string>} row
 * @returns {{title: string, year: string, rating: number, low: number, high: number} | null}
 */
export function read(row) {
  if ("Letterboxd URI" in row) return { title: row.Name, year: row.Year, rating: Number(row.Rating), low: 0.5, high: 5 };
  if ("Your Rating" in row) return { title: row.Title, year: row.Year ?? "", rating: Number(row["Your Rating"]), low: 1, high: 10 };
  if ("My Rating" in row) {
    // Goodreads: a series in brackets, and 0 for a book without a rating.
    return { title: (row.Title ?? "").replace(/\s*\([^)]*#[^)]*\)\s*$/, ""), year: "", rating: Number(row["My Rating"]), low: 1, high: 5 };
  }
  return null;
}

/**
 * A rating on another scale, at one of the marks of this model's.
 * @param {{rating: number, low: number, high: number}} rated
 * @param {{low: number, high: number, step: number | null}} scale
 */
export function scaled({ rating, low, high }, scale) {
  const share = (rating - low) / (high - low), step = scale.step ?? 0.01;
  const value = scale.low + share * (scale.high - scale.low);
  const near = scale.low + Math.round((value - scale.low) / step) * step;
  return Number(Math.min(scale.high, Math.max(scale.low, near)).toFixed(2));
}

/**
 * Listen for a file, and rate what it holds.
 * @param {any} card
 * @param {import("./ratings.js").Ratings} ratings
 * @param {(text: string) => void} showStatus
 */
export function importing(card, ratings, showStatus) {
  const input = byId("export");
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    const rows = parse(await file.text()).map(read);
    const rated = rows.flatMap((row) => (row && row.title && row.rating >= row.low ? [row] : []));
    if (!rated.length) {
      showStatus(rows.some(Boolean) ? "There are no ratings in that file."
        : "That file is none that is known: ratings.csv of Letterboxd or IMDb, or goodreads_library_export.csv.");
      return;
    }
    const kept = rated.slice(0, card.limits.max_ratings);
    /** @type {Map<string, number>} */
    const matched = new Map();
    try {
      for (let at = 0; at < kept.length; at += AT_ONCE) {
        showStatus(`Matching titles: ${at} of ${kept.length} …`);
        const batch = kept.slice(at, at + AT_ONCE);
        const titles = batch.map(({ title, year }) => (year ? `${title} (${year})` : title).slice(0, 300));
        for (const { index, item } of (await post("/v1/items/match", { titles })).matches) {
          const { year } = batch[index];
          // The same title of another year is another film; a year's difference is one of sources.
          if (year && item.year && Math.abs(Number(year) - item.year) > 1) continue;
          ratings.items.set(item.item, item);
          matched.set(item.item, scaled(batch[index], card.scale));
        }
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      showStatus(`The titles could not be matched: ${error.message}`);
      return;
    }
    const room = card.limits.max_ratings - ratings.values.size;
    ratings.add(new Map([...matched].slice(0, Math.max(0, room))));
    showStatus(`${matched.size} of ${rated.length} ratings of ${file.name} are of ${card.things} that this model knows. The file did not leave your browser; its titles did.`);
  });
}
