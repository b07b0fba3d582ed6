// The machines of a factory, a page at a time.
import { html, useEffect, useRef, useState } from "./vendor/htm/standalone.module.js";
import { Pager, useFetched } from "./pages.js";
import { Shape, kindOf } from "./shapes.js";
import { t } from "./text.js";

export const StateCell = ({ state }) => html`
  <td class=${kindOf(state)}><${Shape} kind=${kindOf(state)} /> ${t(`state_${state}`)}</td>
`;

/** Put the focus on a heading, and back to where it came from in the end. */
export function useFocus() {
  const heading = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    heading.current.focus();
    return () => before?.isConnected && before.focus();
  }, []);
  return heading;
}

/** List the machines of a factory. */
export function Machines({ factory, tick, isOver, onClose, onMachine }) {
  const [offset, setOffset] = useState(0);
  const heading = useFocus();
  const query = new URLSearchParams({ factory, offset });
  const { found: page, isLost } = useFetched(`/machines.json?${query}`, tick, isOver);
  const onKey = (event) => event.key === "Escape" && onClose();
  return html`
    <div class="machines" role="group" aria-labelledby="machines" onKeyDown=${onKey}>
      <h3 id="machines" tabindex="-1" ref=${heading}>${t("machines_of", { factory })}</h3>
      <button type="button" class="close" onClick=${onClose}>${t("close")}</button>
      ${isLost && html`<p>${t("not_fetched")}</p>`}
      ${page &&
      html`
        <div class="scroll" tabindex="0" role="group" aria-labelledby="machines">
          <table aria-labelledby="machines">
            <thead>
              <tr>
                <th scope="col">${t("machine")}</th>
                <th scope="col">${t("line")}</th>
                <th scope="col">${t("kind")}</th>
                <th scope="col">${t("state")}</th>
              </tr>
            </thead>
            <tbody>
              ${page.machines.map(
                (one) => html`
                  <tr key=${one.topic}>
                    <th scope="row"><button type="button" class="link" onClick=${() => onMachine(one.topic)}>${one.cell}</button></th>
                    <td>${one.line}</td>
                    <td>${one.kind}</td>
                    <${StateCell} state=${one.state} />
                  </tr>
                `,
              )}
            </tbody>
          </table>
        </div>
        <${Pager} offset=${offset} total=${page.total} onTurn=${setOffset} />
      `}
    </div>
  `;
}
