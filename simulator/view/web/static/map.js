// The map of the park: sites, their factories, and in each a bar for every line.
import { html, useState } from "./vendor/htm/standalone.module.js";
import { count, percent, t } from "./text.js";
import { Machines } from "./machines.js";
import { Shape, kindOfAll } from "./shapes.js";

const MOST_LINES = 24;
const FIRST_FACTORIES = 60;

const LineBar = ({ line }) => html`
  <span class="bar ${line.alarms ? "alarm" : ""}" style=${{ flexGrow: line.machines }}
    title=${`${line.name}: ${t("of_machines", line)}`}>
    <span class="fill" style=${{ height: `${(100 * line.running) / line.machines}%` }}></span>
  </span>
`;

function Tile({ factory, isOpen, onToggle }) {
  const { name, lines, alarms } = factory;
  return html`
    <li>
      <button type="button" class="tile ${kindOfAll(factory)}" aria-expanded=${isOpen} onClick=${onToggle}>
        <span class="name"><${Shape} kind=${kindOfAll(factory)} /> ${name.split("/")[1]}</span>
        <span>${t("of_machines", { running: count(factory.running), machines: count(factory.machines) })}</span>
        <span class="muted">${t("oee")} ${percent(factory.oee)}</span>
        ${alarms > 0 && html`<span class="said">${count(alarms)} ${t("legend_alarm")}</span>`}
        <span class="bars" aria-hidden="true">
          ${lines.slice(0, MOST_LINES).map((line) => html`<${LineBar} key=${line.name} line=${line} />`)}
        </span>
        ${lines.length > MOST_LINES &&
        html`<span class="muted">${t("lines_more", { count: lines.length - MOST_LINES })}</span>`}
      </button>
    </li>
  `;
}

function Site({ name, factories, open, setOpen }) {
  const [all, setAll] = useState(false);
  const shown = all ? factories : factories.slice(0, FIRST_FACTORIES);
  const more = factories.length > FIRST_FACTORIES;
  return html`
    <h3>${name}</h3>
    <ul class="tiles">
      ${shown.map(
        (factory) => html`
          <${Tile} key=${factory.name} factory=${factory} isOpen=${open === factory.name}
            onToggle=${() => setOpen(open === factory.name ? null : factory.name)} />
        `,
      )}
    </ul>
    ${more &&
    html`<button type="button" onClick=${() => setAll(!all)}>
      ${all ? t("show_fewer") : t("show_all", { count: count(factories.length) })}
    </button>`}
  `;
}

export function ParkMap({ document }) {
  const [open, setOpen] = useState(null);
  const sites = new Map();
  for (const factory of document.factories) {
    const [site] = factory.name.split("/");
    sites.set(site, [...(sites.get(site) ?? []), factory]);
  }
  return html`
    <section class="panel wide" aria-labelledby="map">
      <h2 id="map">${t("map")}</h2>
      <p class="legend">
        ${["running", "other", "alarm"].map(
          (kind) => html`<span key=${kind}><${Shape} kind=${kind} /> ${t(`legend_${kind}`)}</span>`,
        )}
      </p>
      ${[...sites].map(
        ([name, factories]) =>
          html`<${Site} key=${name} name=${name} factories=${factories} open=${open} setOpen=${setOpen} />`,
      )}
      ${open && html`<${Machines} key=${open} factory=${open} tick=${document.number} isOver=${document.run.over}
        onClose=${() => setOpen(null)} />`}
    </section>
  `;
}
