// What can be done to a run: faults by hand, pause, speed; and what was done.
import { html, useEffect, useState } from "./vendor/htm/standalone.module.js";
import { fetched, posted } from "./live.js";
import { useAll } from "./pages.js";
import { clock, count, decimal, t } from "./text.js";

const MOST_ACTS = 8;

/** Ask for something, and tell what was answered: {said, isBad}. */
async function ordered(what) {
  try {
    await posted("/act", what);
    return { said: t("ordered"), isBad: false };
  } catch (error) {
    return { said: error.message, isBad: true };
  }
}

function Pace({ run, offers, order }) {
  const [speed, setSpeed] = useState("");
  const [rate, setRate] = useState("");
  const set = (event, what) => (event.preventDefault(), order(what));
  return html`
    <div class="row">
      <button type="button" id="pause" onClick=${() => order({ do: run.paused ? "resume" : "pause" })}>
        ${t(run.paused ? "resume" : "pause")}
      </button>
      <span id="pace">${run.paused ? t("paused") : t("speed", { speed: run.speed })}</span>
    </div>
    ${offers.speed &&
    html`
      <form class="row" onSubmit=${(event) => set(event, { do: "speed", speed: Number(speed) })}>
        <label>${t("speed_label")} <input type="number" name="speed" step="any" min=${offers.speed.least} max=${offers.speed.most}
          required size="7" value=${speed} onInput=${(event) => setSpeed(event.target.value)} /></label>
        <button>${t("set")}</button>
      </form>
      <form class="row" onSubmit=${(event) => set(event, { do: "rate", rate: `${rate}/s` })}>
        <label>${t("rate_label")} <input type="number" name="rate" step="any" min="0" required size="7" value=${rate}
          onInput=${(event) => setRate(event.target.value)} /></label>
        <button>${t("set")}</button>
      </form>
    `}
  `;
}

const Select = ({ label, name, value, from, onPick }) => html`
  <label>${label}
    <select name=${name} onChange=${(event) => onPick(event.target.value)}>
      ${from.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
    </select>
  </label>
`;

/**
 * Choose a machine of a factory, and a sensor of it where one is struck; both write the target as a scenario does, which
 * may be written over. What is written by hand stays until something is chosen.
 */
function Target({ strikes, factories, target, onTarget }) {
  const [factory, setFactory] = useState(factories[0]?.name ?? "");
  const [machine, setMachine] = useState("");
  const [sensor, setSensor] = useState("");
  const [sensors, setSensors] = useState([]);
  const machines = useAll(factory && `/machines.json?${new URLSearchParams({ factory })}`, "machines");
  const isOfSensor = strikes === "sensor";

  useEffect(() => setMachine(machines[0]?.topic ?? ""), [machines]);

  useEffect(() => {
    let isWanted = true;
    if (machine) {
      fetched(`/machine.json?${new URLSearchParams({ topic: machine })}`).then(
        (found) => {
          if (!isWanted) return;
          const names = found.sensors.map((one) => one.name);
          setSensors(names);
          // the first one is the state, which no instrument measures
          setSensor(names[1] ?? names[0] ?? "");
        },
        () => {},
      );
    }
    return () => (isWanted = false);
  }, [machine]);

  const chosen = isOfSensor ? machine && sensor && `${path(machine)}/${sensor}` : machine && path(machine);
  useEffect(() => {
    if (chosen) onTarget(chosen);
  }, [chosen]);

  const first = [["", "–"]];
  return html`
    <${Select} label=${t("factory")} name="factory" value=${factory} onPick=${setFactory}
      from=${factories.map(({ name }) => [name, name])} />
    <${Select} label=${t("machine")} name="machine" value=${machine} onPick=${setMachine}
      from=${machines.length ? machines.map(({ topic }) => [topic, topic.split("/").slice(3).join(" / ")]) : first} />
    ${isOfSensor &&
    html`<${Select} label=${t("sensor")} name="sensor" value=${sensor} onPick=${setSensor}
      from=${sensors.length ? sensors.map((one) => [one, one]) : first} />`}
    <label class="grow">${t("target")}
      <input name="target" required value=${target} onInput=${(event) => onTarget(event.target.value)} spellcheck="false" />
    </label>
  `;
}

/** Return what a scenario calls a machine: its topic without the enterprise. */
const path = (topic) => topic.split("/").slice(1).join("/");

function FaultForm({ offers, factories, order }) {
  const [kind, setKind] = useState(offers.faults[0].kind);
  const [target, setTarget] = useState("");
  const [lasts, setLasts] = useState("1m");
  const [numbers, setNumbers] = useState({});
  const chosen = offers.faults.find((one) => one.kind === kind);
  const begin = (event) => {
    event.preventDefault();
    const given = chosen.numbers.filter(({ name }) => (numbers[name] ?? "") !== "");
    const values = given.map(({ name, type }) => [name, type === "string" ? numbers[name] : Number(numbers[name])]);
    order({ do: "fault", kind, target, for: lasts, ...Object.fromEntries(values) });
  };
  return html`
    <form class="row" id="fault" onSubmit=${begin}>
      <${Select} label=${t("fault_kind")} name="kind" value=${kind} onPick=${setKind}
        from=${offers.faults.map((one) => [one.kind, t(`fault_${one.kind}`)])} />
      <${Target} strikes=${chosen.strikes} factories=${factories} target=${target} onTarget=${setTarget} />
      ${chosen.numbers.map(
        ({ name, about, type, required }) => html`
          <label key=${name} title=${about}>${name}
            <input name=${name} type=${type === "string" ? "text" : "number"} step="any" required=${required} size="7"
              value=${numbers[name] ?? ""} onInput=${(event) => setNumbers({ ...numbers, [name]: event.target.value })} />
          </label>
        `,
      )}
      <label>${t("lasts")} <input name="for" required size="6" value=${lasts} onInput=${(event) => setLasts(event.target.value)} /></label>
      <button class="main">${t("begin")}</button>
    </form>
  `;
}

/** Return a mark in a few words, for a chart. */
export const brief = (mark) => (mark.what === "fault" ? `${t(`fault_${mark.kind}`)} ${mark.target.split("/").slice(3).join("/")}` : said(mark));

/** Return a mark in words. */
export const said = ({ what, kind, target }) =>
  what === "disturbance" ? `${t("mark_disturbance")}: ${kind} ${target}` : what === "fault" ? `${t(`fault_${kind}`)} ${target}` : what === "speed" ? t("speed", { speed: kind }) : t(`mark_${what}`);

function Acts({ marks }) {
  const done = marks.filter((one) => one.cause === "by hand").slice(-MOST_ACTS).reverse();
  if (!done.length) return html`<p class="muted">${t("no_acts")}</p>`;
  return html`
    <ol class="acts" id="acts">
      ${done.map(
        (one) => html`<li key=${`${one.what}${one.from_s}${one.target}`}>
          ${t("at", { clock: clock(one.from_s) })} ${said(one)}${one.what !== "speed" && (one.to_s === null ? ` · ${t("goes_on")}` : ` · ${t("for_s", { s: decimal(one.to_s - one.from_s) })}`)}
        </li>`,
      )}
    </ol>
  `;
}

export function Control({ document }) {
  const { run, marks, factories } = document;
  const [offers, setOffers] = useState(null);
  const [answer, setAnswer] = useState({ said: "", isBad: false });
  useEffect(() => {
    if (run.steerable) fetched("/offers.json").then(setOffers, () => {});
  }, [run.steerable]);
  if (!run.steerable || !offers || run.over) return null;
  const order = (what) => ordered(what).then(setAnswer);
  return html`
    <section class="panel wide" aria-labelledby="control">
      <h2 id="control">${t("control")}</h2>
      <div class="controls">
        <${Pace} run=${run} offers=${offers} order=${order} />
      </div>
      <h3>${t("begin_fault")}</h3>
      <${FaultForm} offers=${offers} factories=${factories} order=${order} />
      <p class=${answer.isBad ? "said" : "muted"} role="status" id="answer">${answer.said}</p>
      <h3>${t("acts")}</h3>
      <${Acts} marks=${marks} />
      <p><a href="/timeline.yaml" download>${t("timeline")}</a></p>
    </section>
  `;
}
