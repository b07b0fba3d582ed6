// One machine: its state, and what each of its sensors has shown of late.
import { html, useEffect, useRef, useState } from "./vendor/htm/standalone.module.js";
import { useFocus } from "./machines.js";
import { useFetched } from "./pages.js";
import { Plot } from "./plot.js";
import { Shape, kindOf } from "./shapes.js";
import { count, reading, t, timeOfDay } from "./text.js";

const HEIGHT = 90;
const FIRST = 6;

function Sensor({ sensor }) {
  const { name, unit, decimals, points } = sensor;
  const last = points.at(-1)?.[1];
  const said = last === undefined ? "–" : `${reading(last, decimals)}${unit === "1" ? "" : ` ${unit}`}`;
  const times = points.map(([ms]) => ms / 1000);
  return html`
    <figure class="sensor">
      <figcaption>${name} <b>${said}</b></figcaption>
      ${points.length > 1
        ? html`<${Plot} label=${`${name}: ${said}`} height=${HEIGHT} times=${times} lines=${[points.map(([, value]) => value)]}
            showX=${timeOfDay} showY=${(value) => reading(value, Math.min(decimals, 2))} isAroundItself />`
        : html`<p class="muted">${t(points.length ? "one_point" : "no_points")}</p>`}
    </figure>
  `;
}

export function MachineDrawer({ topic, tick, isOver, onClose }) {
  const [all, setAll] = useState(false);
  const heading = useFocus();
  const { found, isLost } = useFetched(`/machine.json?${new URLSearchParams({ topic })}`, tick, isOver);
  const sensors = found?.sensors ?? [];
  const shown = all ? sensors : sensors.slice(0, FIRST);
  const name = topic.split("/").slice(1).join(" / ");
  const onKey = (event) => event.key === "Escape" && onClose();
  return html`
    <section class="panel wide drawer" aria-labelledby="one-machine" onKeyDown=${onKey}>
      <h2 id="one-machine" tabindex="-1" ref=${heading}>${name}</h2>
      <button type="button" class="close" onClick=${onClose}>${t("close")}</button>
      ${isLost && html`<p>${t("not_fetched")}</p>`}
      ${found &&
      html`
        <p>
          ${found.kind}${found.state !== null && html` · <${Shape} kind=${kindOf(found.state)} /> ${t(`state_${found.state}`)}`}
        </p>
        <div class="sensors">${shown.map((one) => html`<${Sensor} key=${one.name} sensor=${one} />`)}</div>
        ${sensors.length > FIRST &&
        html`<button type="button" onClick=${() => setAll(!all)}>
          ${all ? t("show_fewer") : t("show_all", { count: count(sensors.length) })}
        </button>`}
      `}
    </section>
  `;
}
