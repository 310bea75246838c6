/** The browser's own memory, which it may refuse. */

/** @typedef {"localStorage" | "sessionStorage"} Place */

/** @param {string} name @param {Place} [place] @returns {string | null} */
export function recall(name, place = "localStorage") {
  try {
    return window[place].getItem(name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string} value @param {Place} [place] */
export function remember(name, value, place = "localStorage") {
  try {
    window[place].setItem(name, value);
  } catch {
    // Then it is forgotten with the page.
  }
}
