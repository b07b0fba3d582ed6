// A chart of lines over wall time, as SVG; lines differ by dashes as well, and the last values stand in words.

const WIDTH = 900, HEIGHT = 180, LEFT = 70, BOTTOM = 22, TOP = 10;
const NAMESPACE = "http://www.w3.org/2000/svg";
const DASHES = ["none", "6 3"], COLORS = ["var(--one)", "var(--other)"], SIGNS = ["———", "— —"];

function drawn(tag, attributes, text = null) {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  return made;
}

function above(value) {
  const size = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 4, 8, 10].map((factor) => factor * size).find((one) => one >= value) ?? value;
}

export function chart(place, points, lines, number, unit) {
  const values = points.flatMap((point) => lines.map(([key]) => point[key] ?? 0));
  const most = above(Math.max(...values, 0)) || 1;
  const first = points[0]?.wall_s ?? 0, last = Math.max(points.at(-1)?.wall_s ?? 1, first + 1);
  const x = (seconds) => LEFT + (seconds - first) / (last - first) * (WIDTH - LEFT - 8);
  const y = (value) => TOP + (1 - value / most) * (HEIGHT - TOP - BOTTOM);
  const words = lines.map(([key, name]) => `${name} ${number(points.at(-1)?.[key] ?? null, 1)}${unit}`);
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words.join(", "), preserveAspectRatio: "none" });
  for (const share of [0, 0.5, 1]) {
    svg.append(drawn("line", { x1: LEFT, x2: WIDTH - 8, y1: y(most * share), y2: y(most * share), stroke: "var(--line)" }));
    svg.append(drawn("text", { x: LEFT - 6, y: y(most * share) + 4, "text-anchor": "end" }, number(most * share, 1)));
  }
  lines.forEach(([key], place) => {
    let run = [];
    const end = () => {
      if (run.length) svg.append(drawn("polyline", { points: run.join(" "), fill: "none", stroke: COLORS[place],
        "stroke-width": 1.8, "stroke-dasharray": DASHES[place] }));
      run = [];
    };
    for (const point of points) {
      if (point[key] === null || point[key] === undefined) end();
      else run.push(`${x(point.wall_s).toFixed(1)},${y(point[key]).toFixed(1)}`);
    }
    end();
  });
  svg.append(drawn("text", { x: LEFT, y: HEIGHT - 4 }, `${number(first)} s`),
    drawn("text", { x: WIDTH - 8, y: HEIGHT - 4, "text-anchor": "end" }, `${number(last)} s`));
  const legend = document.createElement("p");
  legend.className = "legend";
  legend.textContent = words.map((text, place) => `${SIGNS[place]} ${text}`).join("   ");
  place.replaceChildren(svg, legend);
}
