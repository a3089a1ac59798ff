/**
 * Rules and detectors that no technique here shows, each with the reason. Rules for calls that ask for no right, which pass no
 * hook that costs nothing, are off as they come: asked.test.ts switches them on.
 */
export const unseen: Readonly<Record<string, string>> = {
  flood: "takes a share of events that is too low for the other techniques: bad-days.test.ts shows it",
  "credential-gain": "takes a hole in the kernel; its cases hold it (packages/watch/detect)",
  "environment-of-another-process-read": "opens of files in /proc are not watched: `ps` makes thousands",
};
