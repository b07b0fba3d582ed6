// The page: one document a second by server-sent events, drawn as it comes. Nothing is asked of anywhere else.

import { chart } from "./chart.js";

const MOST_POINTS = 2000, STALE_MS = 3000;
const HOPS = ["scheduled", "published", "acknowledged", "received", "written"];
const STATES = ["", "Clearing", "Stopped", "Starting", "Idle", "Suspended", "Execute", "Stopping", "Aborting", "Aborted",
  "Holding", "Held", "Unholding", "Suspending", "Unsuspending", "Resetting", "Completing", "Complete"];
const query = new URLSearchParams(location.search);
const byId = (id) => document.getElementById(id);
let words = {}, language = "en", points = [], latest = null, heardAt = 0, opened = null, offset = 0;

const number = (value, digits = 0) => value === null || value === undefined ? "–"
  : new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
const word = (key, values = {}) => Object.entries(values)
  .reduce((text, [name, value]) => text.replace(`{${name}}`, value), words[key] ?? `?${key}?`);

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

async function ask(path) {
  const answer = await fetch(path);
  return answer.json();
}

async function speak(wanted) {
  const found = await ask(wanted ? `words.json?lang=${encodeURIComponent(wanted)}` : "words.json");
  words = found.words;
  language = found.language;
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word);
  show();
}

function alarmed(count) {
  return count ? `▲ ${number(count)}` : "0";
}

function showPipeline() {
  const { messages, rates } = latest;
  const rateOf = { published: rates.published_per_s, received: rates.received_per_s, written: rates.written_per_s };
  byId("pipeline").replaceChildren(...HOPS.map((hop) => {
    const box = element("li", null);
    box.append(element("span", word(hop)), element("b", number(messages[hop]), { "data-hop": hop }));
    box.append(element("small", hop in rateOf ? `${number(rateOf[hop])}/s` : " "));
    return box;
  }));
  const dropped = Object.values(messages.dropped).reduce((sum, one) => sum + one, 0);
  const figures = [
    ["in_flight", number(messages.in_flight), 0],
    ["lost", number(dropped + messages.dead_lettered), dropped + messages.dead_lettered],
    ["unaccounted", number(messages.unaccounted), messages.unaccounted],
    ["lag", `${number(latest.latency_ms.end_to_end?.p99, 1)} ms`, 0],
    ["oee", latest.park.oee == null ? "–" : `${number(latest.park.oee * 100, 1)} %`, 0],
    ["energy", `${number(latest.park.energy_kwh, 1)} kWh`, 0],
  ];
  byId("counts").replaceChildren(...figures.map(([key, text, bad]) => {
    const pair = element("div", null);
    pair.append(element("dt", word(key)), element("dd", bad ? `▲ ${text}` : text,
      { "data-count": key, class: bad ? "alarm" : "" }));
    return pair;
  }));
}

function showFactories() {
  // what is drawn anew has lost the keyboard
  const focused = document.activeElement?.dataset.factory;
  byId("factories").replaceChildren(...latest.factories.map((factory) => {
    const row = element("tr", null);
    const head = element("th", null, { scope: "row" });
    const button = element("button", factory.name, { type: "button", "data-factory": factory.name,
      "aria-expanded": String(opened === factory.name), "aria-label": word("show_machines", { name: factory.name }) });
    button.addEventListener("click", () => open(opened === factory.name ? null : factory.name));
    head.append(button);
    const lines = element("ul", null, { class: "lines" });
    lines.append(...factory.lines.map((line) => element("li",
      `${line.alarms ? "▲ " : ""}${line.name} ${line.running}/${line.machines}`, { class: line.alarms ? "alarm" : "" })));
    const cell = element("td", null);
    cell.append(lines);
    row.append(head, element("td", `${number(factory.running)}/${number(factory.machines)}`),
      element("td", alarmed(factory.alarms), { class: factory.alarms ? "alarm" : "" }),
      element("td", factory.oee === null ? "–" : `${number(factory.oee * 100, 1)} %`), cell);
    return row;
  }));
  if (focused) document.querySelector(`[data-factory="${CSS.escape(focused)}"]`)?.focus();
}

async function open(factory) {
  opened = factory;
  offset = 0;
  byId("machines").replaceChildren();
  byId("machines").hidden = factory === null;
  for (const button of document.querySelectorAll("[data-factory]"))
    button.setAttribute("aria-expanded", String(button.dataset.factory === factory));
  if (factory !== null) await more();
}

async function more() {
  const asked = opened;
  const found = await ask(`machines.json?factory=${encodeURIComponent(asked)}&offset=${offset}`);
  if (asked !== opened) return;
  const part = byId("machines");
  part.querySelector("button")?.remove();
  if (!part.firstChild) {
    part.append(element("h3", `${asked}: ${number(found.total)} ${word("machines")}`), element("ul", null, { class: "lines" }));
  }
  part.querySelector("ul").append(...found.machines.map((machine) => {
    const bad = [1, 8, 9].includes(machine.state);
    return element("li", `${bad ? "▲ " : ""}${machine.line}/${machine.cell}: ${STATES[machine.state]}`,
      { class: bad ? "alarm" : "", title: machine.kind });
  }));
  offset += found.machines.length;
  if (offset < found.total && found.machines.length) {
    const button = element("button", word("more"), { type: "button" });
    button.addEventListener("click", more);
    part.append(button);
  }
}

let alarmsShown = null;
async function showAlarms() {
  // the server ends with the run
  if (latest.run.over) return;
  const found = latest.factories.some((factory) => factory.alarms) ? await ask("alarms.json") : [];
  const texts = found.map((one) => `▲ ${one.topic}: ${STATES[one.state]}`);
  const key = `${language}\n${texts.join("\n")}`;
  if (key === alarmsShown) return;
  alarmsShown = key;
  byId("alarms").replaceChildren(...(texts.length ? texts.map((text) => element("li", text, { class: "alarm" }))
    : [element("li", word("no_alarms"))]));
}

function showNews() {
  const age = Math.floor((Date.now() - heardAt) / 1000);
  const isOver = latest?.run.over ?? false;
  const isStale = !isOver && latest !== null && Date.now() - heardAt > STALE_MS;
  document.body.classList.toggle("stale", isStale);
  const text = latest === null ? word("starting") : isOver ? `${word("over")}: ${latest.run.verdict}`
    : isStale ? `▲ ${word("stale", { n: age })}` : latest.run.trouble ? `▲ ${word("trouble")}: ${latest.run.trouble}` : "";
  if (byId("news").textContent !== text) byId("news").textContent = text;
}

function show() {
  showNews();
  // a run that was over at once has no figures but those of its end
  if (latest === null || !latest.rates) return;
  const { run } = latest;
  byId("name").textContent = run.name;
  document.title = `parksim: ${run.name}`;
  const length = run.duration_s === null ? "" : ` ${word("of")} ${number(run.duration_s)}`;
  byId("about").textContent = `${run.title} · ${word("simulated")} ${number(run.simulated_s)}${length} s · seed ${run.seed}`;
  showPipeline();
  showFactories();
  showAlarms();
  chart(byId("rates"), points, [["published_per_s", word("published_line")], ["written_per_s", word("written_line")]], number, "/s");
  chart(byId("latency"), points, [["end_to_end_p99_ms", word("p99_line")]], number, " ms");
}

function hear(event) {
  latest = JSON.parse(event.data);
  heardAt = Date.now();
  if (latest.point && latest.point.wall_s !== points.at(-1)?.wall_s) points.push(latest.point);
  if (points.length > MOST_POINTS) points = points.filter((_, place) => place % 2 === 0);
  show();
  if (latest.run.over) source.close();
}

byId("language").addEventListener("click", () => speak(language === "en" ? "vi" : "en"));
await speak(query.get("lang"));
points = await ask("history.json");
const source = new EventSource("events");
source.addEventListener("message", hear);
setInterval(showNews, 1000);
