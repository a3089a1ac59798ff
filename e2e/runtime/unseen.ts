/**
 * Rules and detectors that no technique here shows, each with the reason. Rules for calls that ask for no right, which pass no
 * hook that costs nothing, are off as they come: asked.test.ts switches them on.
 */
export const unseen: Readonly<Record<string, string>> = {
  flood: "takes more events in a second than a busy machine makes; its cases hold it (packages/watch/detect)",
  "credential-gain": "takes a hole in the kernel; its cases hold it (packages/watch/detect)",
  "environment-of-another-process-read": "opens of files in /proc are not watched: `ps` makes thousands",
};
