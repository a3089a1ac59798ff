import type { ImageConfig, TreeFacts } from "./analyzer.ts";

type History = ImageConfig["history"];
type LayerStory = Pick<TreeFacts["layers"][number], "step" | "origin">;

/**
 * What the history of an image tells of its layers: the build step that made each, and whether it came with the base
 * image. Nothing where steps and layers do not fit together: history is what the builder wrote, or left out.
 */
export function storyOf(history: History, layers: number): LayerStory[] {
  const steps = history.filter(({ emptyLayer }) => !emptyLayer);
  if (steps.length !== layers) return Array.from({ length: layers }, () => ({ step: null, origin: null }));
  const base = layersOfBase(history);
  return steps.map(({ createdBy }, at) => ({
    step: stepText(createdBy),
    origin: base === undefined ? null : at < base ? ("base" as const) : ("application" as const),
  }));
}

/**
 * How many layers the base image has: a base ends with its own CMD or ENTRYPOINT, and steps that bring files follow. An
 * image whose first step brings a distribution is its own base. Undefined where neither is so.
 */
function layersOfBase(history: History): number | undefined {
  let filesAfter = false;
  for (let at = history.length - 1; at >= 0; at--) {
    const step = history[at];
    if (step && !step.emptyLayer) filesAfter = true;
    else if (step && filesAfter && /^(?:CMD|ENTRYPOINT)\b/.test(stepText(step.createdBy))) {
      return history.slice(0, at).filter(({ emptyLayer }) => !emptyLayer).length;
    }
  }
  const first = history.find(({ emptyLayer }) => !emptyLayer);
  return first && bringsDistribution(stepText(first.createdBy)) ? 1 : undefined;
}

/** `ADD file:… in /`, `ADD rootfs.tar.xz /`, Debian's `# debian.sh … out/ 'bookworm'`, apko's `apko`. */
function bringsDistribution(step: string): boolean {
  return /^(?:ADD|COPY) (?:file:|multi:|dir:)?\S+ (?:in )?\/ *$|^# debian\.sh|^apko\b|^(?:bazel|umoci|debuerreotype)\b/.test(
    step,
  );
}

/** As it stands in the Dockerfile, without what builders put around it. */
function stepText(createdBy: string): string {
  const text = createdBy.replace(/\s*# buildkit\s*$/, "").trim();
  const silent = /^\/bin\/sh -c #\(nop\)\s*/.exec(text);
  if (silent) return text.slice(silent[0].length).trim();
  const shell = /^(RUN )?(?:\|\d+ .*? )?\/bin\/(?:ba)?sh (?:-o pipefail )?-c /.exec(text);
  return shell ? `RUN ${text.slice(shell[0].length)}` : text;
}
