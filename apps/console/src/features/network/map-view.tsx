import { ActionIcon, Tooltip } from "@mantine/core";
import {
  useEffect,
  useEffectEvent,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
} from "react";
import { useTranslation } from "react-i18next";
import { FitIcon, MinusIcon, PlusIcon, RefreshIcon } from "../../ui/icons.tsx";
import classes from "./network.module.css";
import type { Box } from "./place.ts";
import { bring, fit, neighbour, resized, zoomAt, type Arrow, type Size, type View } from "./view.ts";

interface ViewOptions {
  /** Another picture is seen whole at first. */
  picture: string;
  bounds: Box;
  size: Size;
  groups: ReadonlyMap<string, Box>;
  open: ReadonlySet<string>;
  /** What is looked at beside the map, and where it is: kept in view. */
  focus: { id: string; box: Box } | undefined;
}

interface Seen {
  picture: string;
  view: View;
  /** All of it, as nobody has moved it yet. */
  isWhole: boolean;
  size: Size;
  open: ReadonlySet<string>;
  /** What was looked at. */
  focus: string | undefined;
}

/**
 * What is seen stays what is seen, until a person moves it, opens a group, or looks at something else. Where there is more
 * or less room all of it is seen still, or the middle stays the middle.
 */
function useView({ picture, bounds, size, groups, open, focus }: ViewOptions) {
  const [state, setState] = useState<Seen>();
  const whole = fit(bounds, size);
  const now = { picture, size, open, focus: focus?.id };
  const isSized = size.width > 0 && size.height > 0;
  const isResized = state && (state.size.width !== size.width || state.size.height !== size.height);
  if (isSized && state?.picture !== picture) {
    setState({ ...now, view: focus ? close(whole, focus.box, size) : whole, isWhole: !focus });
  } else if (isSized && state && (isResized || state.open !== open || state.focus !== focus?.id)) {
    const before = !isResized ? state.view : state.isWhole ? whole : resized(state.view, state.size, size);
    // What was opened just now is brought into view, and what is looked at.
    const added = [...open].find((id) => !state.open.has(id));
    const box = added === undefined ? focus?.box : groups.get(added);
    const view = box ? shown(before, box, size) : before;
    setState({ ...now, view, isWhole: state.isWhole && view === before });
  }
  const move = (change: (old: View) => View): void =>
    setState((old) => ({ ...now, view: change(old?.view ?? whole), isWhole: false }));
  return {
    view: state?.view ?? whole,
    move,
    /** Around the middle. */
    zoom: (factor: number) => move((old) => zoomAt(old, factor, { x: size.width / 2, y: size.height / 2 })),
    fit: () => setState({ ...now, view: whole, isWhole: true }),
  };
}

/** A link to something leads there, where the whole would be too small to read. */
function close(whole: View, box: Box, size: Size): View {
  const near = fit(box, size);
  return whole.k < 0.75 && near.k > whole.k ? near : shown(whole, box, size);
}

/** A box that is larger than what is seen is seen whole. */
function shown(view: View, box: Box, size: Size): View {
  const whole = fit(box, size);
  return whole.k < view.k ? whole : bring(view, box, size);
}

interface Props extends ViewOptions {
  label: string;
  /** Of all that the keyboard can reach. */
  boxes: ReadonlyMap<string, Box>;
  onToggle: (group: string) => void;
  onSelect: (node: string) => void;
  onArrange: () => void;
  children: ReactNode;
}

const step = 1.25;
/** A press that moves less is a click. */
const slack = 4;
const arrows = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

/** The map can be dragged and zoomed; arrow keys go from node to node, Enter opens, `i` tells more. */
export function MapView(props: Props) {
  const { label, size, boxes, onToggle, onSelect } = props;
  const { t } = useTranslation();
  const view = useView(props);
  const svg = useRef<SVGSVGElement>(null);
  const drag = useRef<{ x: number; y: number; moved: boolean }>(undefined);
  const onWheel = useEffectEvent((event: WheelEvent) => {
    event.preventDefault();
    const { left, top } = svg.current?.getBoundingClientRect() ?? { left: 0, top: 0 };
    const factor = Math.exp(-Math.max(-80, Math.min(80, event.deltaY)) / 300);
    view.move((old) => zoomAt(old, factor, { x: event.clientX - left, y: event.clientY - top }));
  });
  useEffect(() => {
    const element = svg.current;
    const listener = (event: WheelEvent): void => onWheel(event);
    // React's own is passive: the page would scroll.
    element?.addEventListener("wheel", listener, { passive: false });
    return () => element?.removeEventListener("wheel", listener);
  }, []);

  const onPointerMove = (event: PointerEvent): void => {
    const from = drag.current;
    if (!from) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    if (!from.moved && Math.hypot(dx, dy) < slack) return;
    if (!from.moved) svg.current?.setPointerCapture(event.pointerId);
    drag.current = { x: event.clientX, y: event.clientY, moved: true };
    view.move((old) => ({ ...old, x: old.x + dx, y: old.y + dy }));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const id = (event.target as Element).getAttribute("data-node");
    if (event.key === "+" || event.key === "=") view.zoom(step);
    else if (event.key === "-") view.zoom(1 / step);
    else if (event.key === "0") view.fit();
    else if (id !== null && arrows.has(event.key)) go(neighbour(boxes, id, event.key as Arrow));
    else if (id !== null && (event.key === "Enter" || event.key === " "))
      (event.target as HTMLElement).dispatchEvent(new MouseEvent("click", { bubbles: true }));
    else if (id !== null && event.key === "i") onSelect(id);
    else if (id !== null && event.key === "Backspace" && id.includes(" ")) onToggle(id.slice(0, id.indexOf(" ")));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const go = (id: string | undefined): void => {
    const box = id === undefined ? undefined : boxes.get(id);
    if (!box || id === undefined) return;
    view.move((old) => bring(old, box, size));
    svg.current?.querySelector<SVGElement>(`[data-node="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
  };

  const { x, y, k } = view.view;
  return (
    <>
      {/* The keys are heard here for the node that has the focus. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <svg
        ref={svg}
        className={classes.svg}
        width={size.width}
        height={size.height}
        role="group"
        aria-label={label}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (event.button === 0) drag.current = { x: event.clientX, y: event.clientY, moved: false };
        }}
        onPointerMove={onPointerMove}
        onPointerUp={() => (drag.current = undefined)}
        onPointerCancel={() => (drag.current = undefined)}
      >
        <g transform={`translate(${x} ${y}) scale(${k})`}>{props.children}</g>
      </svg>
      <div className={classes.tools} role="toolbar" aria-label={t("network.tools")}>
        <Tool label={t("network.zoomIn")} icon={<PlusIcon size={15} />} onClick={() => view.zoom(step)} />
        <Tool label={t("network.zoomOut")} icon={<MinusIcon size={15} />} onClick={() => view.zoom(1 / step)} />
        <Tool label={t("network.fit")} icon={<FitIcon size={15} />} onClick={view.fit} />
        <Tool label={t("network.arrange")} icon={<RefreshIcon size={15} />} onClick={props.onArrange} />
      </div>
    </>
  );
}

function Tool({ label, icon, onClick }: { label: string; icon: ReactNode; onClick: () => void }) {
  return (
    <Tooltip label={label} position="left">
      <ActionIcon size={28} aria-label={label} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
