// The page: what the service serves, a sentence read and flipped, a battery over many, jobs, models.

import { startFlips } from "./flips.js";
import { json, newKey } from "./ask.js";
import { startDrill } from "./drill.js";
import { byId, clear, fail } from "./dom.js";
import { startHeat } from "./heat.js";
import { startModels } from "./models.js";
import { startProbes } from "./probes.js";
import { again, fillDemo, startReading, takePairs } from "./read.js";
import { nameDemo, startReport } from "./report.js";
import { load } from "./served.js";

async function start() {
  clear(byId("failure"));
  try {
    const [sentences] = await Promise.all([json("/demo.json"), load()]);
    startReading();
    startProbes();
    startFlips();
    startHeat();
    startDrill();
    startReport(sentences);
    startModels(() => { takePairs(); nameDemo(); again(); });
    fillDemo(sentences);
    document.body.dataset.ready = "";
  } catch (error) {
    if (error.status !== 403) return fail(byId("failure"), error, start);
    await newKey(error.message); // this one may not read
    start();
  }
}

start();
