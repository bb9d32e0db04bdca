const SIDE = 96;  // in pixels, of the picture under the pointer

export default function ({ data, parentElement }) {
  const face = parentElement.querySelector("#face");
  const sheet = URL.createObjectURL(new Blob([data], { type: "image/jpeg" }));
  Object.assign(face.style, {
    width: `${SIDE}px`, height: `${SIDE}px`, backgroundImage: `url(${sheet})`, backgroundSize: `${SIDE * COLUMNS}px`,
  });

  const hide = () => { face.hidden = true; };
  const show = ({ event, points }) => {
    const place = points[0].customdata;
    const above = event.clientY - SIDE - 56;
    face.style.backgroundPosition = `${-SIDE * (place % COLUMNS)}px ${-SIDE * Math.floor(place / COLUMNS)}px`;
    face.style.left = `${Math.min(Math.max(event.clientX - SIDE / 2, 0), window.innerWidth - SIDE)}px`;
    face.style.top = `${above > 0 ? above : event.clientY + 56}px`;
    face.hidden = false;
  };

  // Streamlit may replace the chart at any time, so listen to the one that the pointer is on.
  const listen = ({ target }) => {
    const chart = target.closest?.(".st-key-d_map .js-plotly-plot");
    if (!chart?.on) return hide();
    for (const [name, action] of [["plotly_hover", show], ["plotly_unhover", hide]]) {
      chart.removeListener(name, action);
      chart.on(name, action);
    }
  };
  document.addEventListener("pointerover", listen);
  document.addEventListener("pointerdown", hide);
  return () => {
    document.removeEventListener("pointerover", listen);
    document.removeEventListener("pointerdown", hide);
    hide();
    URL.revokeObjectURL(sheet);
  };
}
