import type { StreamTopic } from "@bulwark/contract";

/** One message as it goes over the wire. */
export interface Frame {
  id: string;
  topic: StreamTopic;
  text: string;
}

/** The last frames, bounded by number and by size, so that a page that lost its connection can go on. */
export interface Ring {
  push(frame: Frame): void;
  /** Id of the latest frame, or of the empty ring. */
  readonly last: string;
  /** What came after the frame `id`, or undefined when the ring does not know (any more) what that was. */
  after(id: string): Frame[] | undefined;
}

/** `origin` is the id that stands for "nothing yet". */
export function createRing(origin: string, limits: { frames: number; bytes: number }): Ring {
  const frames: Frame[] = [];
  let start = origin;
  let bytes = 0;

  function push(frame: Frame): void {
    frames.push(frame);
    bytes += frame.text.length;
    while (frames.length > limits.frames || bytes > limits.bytes) {
      const gone = frames.shift();
      if (!gone) break;
      bytes -= gone.text.length;
      start = gone.id;
    }
  }

  function after(id: string): Frame[] | undefined {
    if (id === start) return [...frames];
    const index = frames.findLastIndex((frame) => frame.id === id);
    return index < 0 ? undefined : frames.slice(index + 1);
  }

  return {
    push,
    after,
    get last() {
      return frames.at(-1)?.id ?? start;
    },
  };
}
