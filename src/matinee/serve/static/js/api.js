/** Asking the server. Only ever the one the page came from. */

import { recall, remember } from "./memory.js";

/** What the server refused, in its own words, or that it did not answer (status 0). */
export class Problem extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

const KEY = "matinee-key";

/** Whether a key was given, right or wrong. */
export const hasKey = () => Boolean(recall(KEY, "sessionStorage"));

/** Keep the server's API key until the tab is closed. @param {string} key */
export const keepKey = (key) => remember(KEY, key, "sessionStorage");

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<any>}
 */
async function ask(path, options) {
  const key = recall(KEY, "sessionStorage");
  const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    throw new Problem(0, "The server does not answer.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, body.detail ?? response.statusText);
  return body;
}

/** @param {string} path @param {AbortSignal} [signal] */
export const get = (path, signal) => ask(path, { signal });

/** @param {string} path @param {object} body @param {AbortSignal} [signal] */
export const post = (path, body, signal) =>
  ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });

/**
 * Of several tasks in a row only the last counts: each aborts the one before.
 * @returns {(task: (signal: AbortSignal) => Promise<void>) => Promise<void>}
 */
export function latest() {
  let running = new AbortController();
  return async (task) => {
    running.abort();
    const mine = (running = new AbortController());
    try {
      await task(mine.signal);
    } catch (error) {
      if (!mine.signal.aborted) throw error;
    }
  };
}
