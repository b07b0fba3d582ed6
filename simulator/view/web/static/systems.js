// What the systems of the sites show together: electricity and its cost, network, water and air.
import { html, useRef, useState } from "./vendor/htm/standalone.module.js";
import { PAGE, Pager, useFetched, useSeen } from "./pages.js";
import { Shape } from "./shapes.js";
import { decimal, hundredths, t } from "./text.js";

// what is an alarm above, or below, this value
const BAD = { exceeded: (value) => value > 0, connected: (value) => value === 0, online: (value) => value === 0, loss_pct: (value) => value > 99.5 };

function Cell({ sensor, value }) {
  const isBad = value !== null && BAD[sensor]?.(value);
  return html`<td class=${isBad ? "alarm" : ""}>${isBad && html`<${Shape} kind="alarm" />`} ${(sensor === "month_power_factor" ? hundredths : decimal)(value)}</td>`;
}

function Group({ group, document, onMachine }) {
  const [offset, setOffset] = useState(0);
  const query = new URLSearchParams({ group, offset });
  const section = useRef(null);
  const isSeen = useSeen(section);
  const { found } = useFetched(`/systems.json?${query}`, document.number, document.run.over || !isSeen);
  const id = `group-${group}`;
  return html`
    <section class="panel wide" aria-labelledby=${id} ref=${section}>
      <h2 id=${id}>${t(`group_${group}`)}</h2>
      ${found &&
      html`
        <div class="scroll" tabindex="0" role="group" aria-labelledby=${id}>
          <table aria-labelledby=${id}>
            <thead>
              <tr>
                <th scope="col">${t("system")}</th>
                ${found.sensors.map((name) => html`<th key=${name} scope="col">${t(`sensor_${name}`)}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${found.systems.map(
                ({ topic, values }) => html`
                  <tr key=${topic}>
                    <th scope="row">
                      <button type="button" class="link" onClick=${() => onMachine(topic)}>
                        ${topic.split("/").filter((_, level) => level === 1 || level === 4).join(" / ")}
                      </button>
                    </th>
                    ${found.sensors.map((name, place) => html`<${Cell} key=${name} sensor=${name} value=${values[place]} />`)}
                  </tr>
                `,
              )}
            </tbody>
          </table>
        </div>
        ${found.total > PAGE && html`<${Pager} offset=${offset} total=${found.total} onTurn=${setOffset} />`}
      `}
    </section>
  `;
}

export const Systems = ({ document, onMachine }) =>
  Object.entries(document.systems)
    .filter(([, total]) => total > 0)
    .map(([group]) => html`<${Group} key=${group} group=${group} document=${document} onMachine=${onMachine} />`);
