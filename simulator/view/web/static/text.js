// Words and numbers in the language of the page.

export const language = document.documentElement.lang;
const words = await (await fetch(`/locale/page.${language}.json`)).json();
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const NONE = "–";

/** Return the text of a key, {name} replaced by values.name; a key that is missing shows as itself. */
export const t = (key, values = {}) =>
  (words[key] ?? `[${key}]`).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

const of = (format) => (value) => (value === null || value === undefined ? NONE : format(value));
export const count = of((value) => whole.format(value));
export const decimal = of((value) => tenths.format(value));
export const percent = of((value) => percents.format(value));
export const ms = of((value) => `${value < 1000 ? tenths.format(value) : whole.format(value)} ms`);

/** Return seconds as h:mm:ss, with days before them where there are any. */
export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const [days, hours] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24];
  const two = (n) => String(n).padStart(2, "0");
  return `${days ? `${days} d ` : ""}${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}
