import { LayerCache, type AnalyzerName, type LookOptions as ExamineOptions, type Progress } from "@bulwark/examine";
import type { LookOptions } from "./input.ts";

type Also = Exclude<AnalyzerName, "inventory">;

/** What is looked for besides packages. Only an image has a configuration, and files that somebody chose to ship. */
export function wanted({ malware, listed }: LookOptions, isImage: boolean): Also[] {
  const also: Also[] = ["secrets"];
  if (isImage) also.push("checks");
  if (malware) also.push("malware");
  if (listed) also.push("hashes");
  return also;
}

export function lookOptionsOf({ listed, clamd, onProgress }: LookOptions, what: string): ExamineOptions {
  return {
    cache: new LayerCache(),
    listed,
    clamd,
    onProgress: (progress) => onProgress(`${what}: ${progressText(progress)}`),
  };
}

function progressText({ done, total, bytes }: Progress): string {
  if (total === null) return `${done} files`;
  return `${done} of ${total} layers, ${Math.round(bytes / 1024 ** 2)} MB`;
}
