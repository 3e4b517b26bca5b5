// Analyses a picture twice through @azure-rest/ai-vision-image-analysis, as bytes and by an address that leads nowhere, and
// prints both answers as JSON. Arguments: base address, key, picture (a file).

import { readFile } from "node:fs/promises";
import imported, { isUnexpected } from "@azure-rest/ai-vision-image-analysis";
import { AzureKeyCredential } from "@azure/core-auth";

const [endpoint, key, file] = process.argv.slice(2);
const createClient = imported.default ?? imported;
const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: true });
const analyze = client.path("/imageanalysis:analyze");
const features = ["Caption", "DenseCaptions", "Objects", "People", "Read", "SmartCrops", "Tags"];

const told = await analyze.post({
  body: await readFile(file),
  queryParameters: { features, "smartCrops-aspect-ratios": [0.9, 1.33], "gender-neutral-caption": true },
  contentType: "application/octet-stream",
});
const refused = await analyze.post({
  body: { url: "https://does-not-exist.invalid/photo.jpg" },
  queryParameters: { features: ["Tags"] },
  contentType: "application/json",
});

const both = [told, refused].map((one) => ({ status: one.status, unexpected: isUnexpected(one), body: one.body }));
console.log(JSON.stringify(both));
