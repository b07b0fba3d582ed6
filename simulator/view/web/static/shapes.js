// The state of a machine as a shape: it is told apart without colour, which is for alarms only (ISA-101).
import { html } from "./vendor/htm/standalone.module.js";

const ALARMS = [1, 8, 9];
const EXECUTE = 6;

export const kindOf = (state) => (ALARMS.includes(state) ? "alarm" : state === EXECUTE ? "running" : "other");

/** Return what stands for many machines: an alarm of one of them comes first. */
export const kindOfAll = ({ alarms, running }) => (alarms ? "alarm" : running ? "running" : "other");

export const Shape = ({ kind }) => html`
  <svg class="shape ${kind}" viewBox="0 0 16 16" aria-hidden="true">
    ${kind === "alarm" && html`<path d="M8 1 15.5 15H.5z" /><path class="mark" d="M7.2 6h1.6v4.6H7.2zM7.2 11.6h1.6v1.6H7.2z" />`}
    ${kind === "running" && html`<circle cx="8" cy="8" r="6" />`}
    ${kind === "other" && html`<rect x="2.5" y="2.5" width="11" height="11" />`}
  </svg>
`;
