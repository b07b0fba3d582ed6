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
export const hundredths = of((value) => new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value));
export const percent = of((value) => percents.format(value));
export const ms = of((value) => `${value < 1000 ? tenths.format(value) : whole.format(value)} ms`);

export const reading = (value, decimals) => value.toLocaleString(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

/** Seconds that the zone of the scenario is ahead of UTC; set when the first document says so. */
export const zone = { ahead: 0 };

/** Set the zone from an instant that has an offset, such as 2026-01-05T06:00:00+07:00. */
export function inZoneOf(instant) {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(instant) ?? [null, "+", "0", "0"];
  zone.ahead = (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

/** Return seconds since the Unix epoch as the time of the day in that zone. */
export const timeOfDay = (seconds) => new Date((seconds + zone.ahead) * 1000).toISOString().slice(11, 19);

/** Return seconds as h:mm:ss, with days before them where there are any. */
export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const [days, hours] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24];
  const two = (n) => String(n).padStart(2, "0");
  return `${days ? `${days} d ` : ""}${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}
