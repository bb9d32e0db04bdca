const ZOOM = 0.7;
const divs = [...document.querySelectorAll(".chart")], slim = matchMedia("(max-width: 640px)"), charts = new Map();
const onPaper = () => document.body.classList.contains("paper");

function draw(div) {
  if (!charts.has(div)) charts.set(div, JSON.parse(div.nextElementSibling.textContent));
  const chart = charts.get(div), paper = onPaper(), narrow = slim.matches && !paper;
  const { layout, legend, data = chart.wide.data } = (narrow && chart.narrow) || chart.wide;
  const look = { ...layout };
  if (narrow) look.dragmode = false;  // a finger on a chart scrolls the page
  if (paper) look.width = Math.floor(div.parentElement.clientWidth / ZOOM);
  // What a click would show is not even listed on paper.
  const drawn = paper ? data.map((one) => one.visible === "legendonly" ? { ...one, visible: false } : one) : data;
  const picture = { format: "png", scale: 2, filename: div.dataset.name };
  Plotly.react(div, drawn, look, { responsive: true, displaylogo: false, toImageButtonOptions: picture });
  div.style.minHeight = "";
  if (legend) {  // give the chart the height that the legend really takes at this width
    const height = Math.round(layout.height - legend + div._fullLayout.legend._height + 16);
    if (Math.abs(height - layout.height) > 4) Plotly.relayout(div, { height });
  }
}

async function drawAll() {
  for (const div of divs) {
    if (!charts.has(div)) draw(div);
    await new Promise((next) => setTimeout(next));  // so that the page can be read and scrolled meanwhile
  }
}

function redraw() {
  for (const div of charts.keys()) draw(div);
}

let waiting, width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;  // on phones, only a bar of the browser has come or gone
  width = innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(redraw, 200);
});
addEventListener("beforeprint", () => { document.body.classList.add("paper"); divs.forEach(draw); });
addEventListener("afterprint", () => { document.body.classList.remove("paper"); redraw(); });
drawAll();
