/**
 * Rules and detectors that no technique here shows, each with the reason. What is not seen is not seen by the sensor on a
 * kernel without LSM and fentry programs: a call that asks for no right passes no hook that costs nothing.
 */
export const unseen: Readonly<Record<string, string>> = {
  "kernel-helper":
    "the kernel starts a release agent when it comes to it, which a busy machine puts off; its cases hold it (packages/watch/detect)",
  "program-started-by-the-kernel": "as kernel-helper",
  flood: "takes more events in a second than a busy machine makes; its cases hold it (packages/watch/detect)",
  "credential-gain": "takes a hole in the kernel; its cases hold it (packages/watch/detect)",
  "standard-stream-moved-onto-a-connection":
    "dup(2) asks for no right; reverse-shell tells of it at the next exec, and by a look",
  "link-over-a-sensitive-file-made": "fanotify names the link, not what it leads to",
  "environment-of-another-process-read": "opens of files in /proc are not watched: `ps` makes thousands",
  "personality-of-a-process-changed": "personality(2) asks for no right",
  "file-handle-taken-from-a-path": "name_to_handle_at(2) asks for no right; open_by_handle_at(2) does, and is told",
};
