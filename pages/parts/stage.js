const KEYS = { PageDown: "next", ArrowRight: "next", PageUp: "back", ArrowLeft: "back" };
export default function ({ data, parentElement, setStateValue }) {
  const root = document.documentElement;
  const full = () => document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen();
  let timer;
  const fit = () => {
    const [width, height] = [window.innerWidth, window.innerHeight];
    root.style.fontSize = "";
    const scale = width < data.narrow ? 1 : Math.min(width / data.usual[0], height / data.usual[1]);
    root.style.fontSize = Math.max(0.5, scale) * parseFloat(getComputedStyle(root).fontSize) + "px";
    if (width !== data.size[0] || height !== data.size[1]) setStateValue("size", [width, height]);
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(fit, 150); };
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, [role=combobox], [role=radiogroup], [role=slider]")) return;
    if (event.key.toLowerCase() === "f") return full();
    const button = KEYS[event.key] && document.querySelector(`.st-key-stage_${KEYS[event.key]} button`);
    if (!button) return;
    event.preventDefault();
    button.click();
  };
  const leave = () => document.activeElement?.closest(".st-key-stage_controls button")?.blur();
  const controls = document.querySelector(".st-key-stage_controls");
  fit();
  window.addEventListener("resize", later);
  window.addEventListener("keydown", press);
  controls.addEventListener("mouseleave", leave);
  parentElement.querySelector("button").onclick = full;
  return () => {
    root.style.fontSize = "";
    clearTimeout(timer);
    window.removeEventListener("resize", later);
    window.removeEventListener("keydown", press);
    controls.removeEventListener("mouseleave", leave);
  };
}
