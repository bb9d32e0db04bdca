export default function () {
  const click = (event) => {
    if (event.target.tagName !== "IMG") return;
    const button = event.target.closest('[class*="st-key-tile_"]')?.querySelector(".stButton button");
    if (!button) return;
    event.stopImmediatePropagation();  // one of the rows is enough
    button.click();
  };
  document.addEventListener("click", click);
  return () => document.removeEventListener("click", click);
}
