export default function ({ data, parentElement, setTriggerValue }) {
  const photo = parentElement.querySelector("#photo"), picture = document.createElement("img");
  picture.src = data.picture;
  picture.alt = data.alt;
  photo.replaceChildren(picture, ...data.boxes.map(({ title, left, top, width, height }, place) => {
    const box = document.createElement("button");
    Object.assign(box.style, { left, top, width, height });
    box.title = title;
    box.ariaLabel = title;
    box.ariaPressed = String(place === data.chosen);
    box.onclick = () => setTriggerValue("face", place);
    return box;
  }));
}
