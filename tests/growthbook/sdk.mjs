// Answers what `engraft decide --batch` is asked with GrowthBook's own JavaScript SDK: a line of JSON for each line of JSON.
// A decision that makes the SDK throw is answered with { "threw": message } in its place.

import { createInterface } from "node:readline";
import { evalCondition, GrowthBook, StickyBucketService } from "@growthbook/growthbook";

console.error = () => {};
// When it is created, the SDK also asks for documents in the background; nothing waits for them here.
process.on("unhandledRejection", () => {});

/** Keeps nothing: the SDK changes the documents that it was given. */
class Forgetful extends StickyBucketService {
  async getAssignments() {
    return null;
  }
  async saveAssignments() {}
}

function attempt(decide) {
  try {
    return decide();
  } catch (error) {
    return { threw: String(error) };
  }
}

function sdk(request, documents) {
  const { features, savedGroups, contextualBandits } = request.payload ?? {};
  return new GrowthBook({
    attributes: request.attributes,
    url: request.url ?? "",
    features,
    savedGroups: request.savedGroups ?? savedGroups,
    contextualBandits,
    forcedVariations: request.forcedVariations,
    qaMode: request.qaMode,
    enabled: request.enabled,
    ...(documents && { stickyBucketService: new Forgetful(), stickyBucketAssignmentDocs: documents }),
  });
}

// The SDK takes a RegExp here, which JSON has not; from its overrides it makes one like this.
function runnable(experiment) {
  return experiment.url ? { ...experiment, url: new RegExp(experiment.url.replace(/([^\\])\//g, "$1\\/")) } : experiment;
}

function results(instance, experiments) {
  const keyed = experiments.map((experiment) => [experiment.key, attempt(() => instance.run(runnable(experiment)))]);
  return Object.fromEntries(keyed);
}

function answer(request) {
  const groups = request.savedGroups ?? {};
  if (request.condition !== undefined) {
    return attempt(() => ({ match: evalCondition(request.attributes, request.condition, groups) }));
  }
  const copy = () => structuredClone(request.stickyBucketAssignmentDocs);
  const documents = copy();
  const instance = sdk(request, documents);
  const decide = (key) => {
    const { value, source, ruleId, experimentResult } = instance.evalFeature(key);
    return { value, source, ruleId, experimentResult };
  };
  const keys = Object.keys(request.payload?.features ?? {}).filter((key) => request.payload.features[key]).sort();
  const features = Object.fromEntries(keys.map((key) => [key, attempt(() => decide(key))]));
  const experiments = results(instance, request.payload?.experiments ?? []);
  let stickyBucketAssignmentDocs = documents;
  if (request.experiment) {
    stickyBucketAssignmentDocs = copy();
    Object.assign(experiments, results(sdk(request, stickyBucketAssignmentDocs), [request.experiment]));
  }
  return { features, experiments, stickyBucketAssignmentDocs };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
}
