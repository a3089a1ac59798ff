import { useCallback, useState } from "react";

type SizeRef = (node: HTMLElement | null) => (() => void) | undefined;

/** Size of an element as it changes; 0 before the first look. */
export function useSize(): [ref: SizeRef, width: number, height: number] {
  const [[width, height], setSize] = useState<[number, number]>([0, 0]);
  const ref = useCallback<SizeRef>((node) => {
    if (!node) return undefined;
    const look = (): void =>
      setSize((old) => {
        const { clientWidth, clientHeight } = node;
        return old[0] === clientWidth && old[1] === clientHeight ? old : [clientWidth, clientHeight];
      });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  return [ref, width, height];
}

/** Only the width, for what grows with its content. */
export function useWidth(): [ref: SizeRef, width: number] {
  const [width, setWidth] = useState(0);
  const ref = useCallback<SizeRef>((node) => {
    if (!node) return undefined;
    setWidth(node.clientWidth);
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 0)));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
