import { memo } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { BoxIcon, ChevronDownIcon, GlobeIcon, InfoIcon, LayersIcon, ServerIcon } from "../../ui/icons.tsx";
import { visible } from "../../ui/visible.ts";
import type { GroupKind } from "./ends.ts";
import type { MapGraph, MapGroup, MapNode } from "./graph.ts";
import { useGroupName } from "./names.ts";
import classes from "./network.module.css";
import { headHeight, type Box, type Layout } from "./place.ts";

const kindIcons = { namespace: LayersIcon, bare: BoxIcon, nodes: ServerIcon, clients: GlobeIcon, servers: GlobeIcon };

/** What stands behind the lines: the ground of open groups. */
export const Frames = memo(function Frames({
  groups,
  boxes,
}: {
  groups: readonly MapGroup[];
  boxes: ReadonlyMap<string, Box>;
}) {
  return groups.map(({ id, open }) => {
    const box = boxes.get(id);
    return open && box && <rect key={id} {...box} rx={8} className={classes.frame} />;
  });
});

interface Props {
  graph: MapGraph;
  layout: Layout;
  /** How many clusters are on the map. */
  clusters: number;
  selected: string | undefined;
  onToggle: (group: string) => void;
  onSelect: (node: string) => void;
  onPoint: (node: string | undefined) => void;
}

/** What stands before the lines. One node is a stop of the Tab key; arrow keys go on from there. */
export const NodeLayer = memo(function NodeLayer({
  graph,
  layout,
  clusters,
  selected,
  onToggle,
  onSelect,
  onPoint,
}: Props) {
  const first = graph.groups[0]?.nodes[0]?.id;
  const nodes = graph.groups.flatMap((group) => group.nodes);
  const stop = nodes.some(({ id }) => id === selected) ? selected : first;
  return graph.groups.map((group) => {
    const { id, open } = group;
    const box = layout.groups.get(id);
    if (!box) return null;
    const shared = { group, clusters, onToggle, onSelect };
    return (
      <g key={id}>
        {open ? (
          <GroupHead {...shared} box={box} />
        ) : (
          <Tile {...shared} box={box} stop={stop === id} selected={selected === id} onPoint={onPoint} />
        )}
        {open &&
          group.nodes.map((node) => {
            const at = layout.nodes.get(node.id);
            const marks = { stop: stop === node.id, selected: selected === node.id };
            return at && <Chip key={node.id} node={node} box={at} {...marks} onSelect={onSelect} onPoint={onPoint} />;
          })}
      </g>
    );
  });
});

interface GroupProps {
  group: MapGroup;
  box: Box;
  clusters: number;
  onToggle: (group: string) => void;
  onSelect: (node: string) => void;
}

const Tile = memo(function Tile({
  group,
  box,
  clusters,
  stop,
  selected,
  onToggle,
  onSelect,
  onPoint,
}: GroupProps & { stop: boolean; selected: boolean; onPoint: Props["onPoint"] }) {
  const { id, kind, ends, denied, fresh } = group;
  const name = useGroupName()(id, kind, clusters);
  const count = useCount()(kind, ends);
  const Icon = kindIcons[kind];
  return (
    <g transform={`translate(${box.x} ${box.y})`}>
      <title>{visible(name)}</title>
      <g
        role="button"
        tabIndex={stop ? 0 : -1}
        data-node={id}
        data-selected={selected || undefined}
        aria-expanded={false}
        aria-label={[visible(name), count, useMarksText()(group)].filter(Boolean).join(", ")}
        className={classes.tile}
        onClick={() => onToggle(id)}
        onKeyDown={() => undefined}
        onPointerEnter={() => onPoint(id)}
        onPointerLeave={() => onPoint(undefined)}
      >
        <rect width={box.width} height={box.height} rx={7} className={classes.body} />
      </g>
      <g aria-hidden="true" className={classes.face}>
        <Icon x={10} y={box.height / 2 - 8} size={16} className={classes.glyph} />
        <text x={34} y={19} className={classes.name}>
          {clip(name, 17)}
        </text>
        <text x={34} y={35} className={classes.sub}>
          {count}
        </text>
        <Signs x={box.width - 10} y={31} denied={denied} fresh={fresh} />
      </g>
      <Info x={box.width - 27} y={4} onClick={() => onSelect(id)} />
    </g>
  );
});

function GroupHead({ group: { id, kind, ends }, box, clusters, onToggle, onSelect }: GroupProps) {
  const name = useGroupName()(id, kind, clusters);
  const count = useCount()(kind, ends);
  return (
    <g transform={`translate(${box.x} ${box.y})`}>
      <g
        role="button"
        tabIndex={0}
        data-node={id}
        aria-expanded
        aria-label={`${visible(name)}, ${count}`}
        className={classes.head}
        onClick={() => onToggle(id)}
        onKeyDown={() => undefined}
      >
        <rect x={4} y={4} width={box.width - 34} height={headHeight - 10} rx={5} className={classes.headBody} />
      </g>
      <g aria-hidden="true" className={classes.face}>
        <ChevronDownIcon x={8} y={9} size={13} className={classes.glyph} />
        <text x={26} y={20} className={classes.name}>
          {clip(name, Math.floor((box.width - 110) / 7))}
          <tspan className={classes.sub} dx={8}>
            {count}
          </tspan>
        </text>
      </g>
      <Info x={box.width - 28} y={5} onClick={() => onSelect(id)} />
    </g>
  );
}

/** Tells more of a group. The keyboard has `i`. */
function Info({ x, y, onClick }: { x: number; y: number; onClick: () => void }) {
  const { t } = useTranslation();
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
    <g className={classes.info} transform={`translate(${x} ${y})`} onClick={onClick} aria-hidden="true">
      <title>{t("network.more")}</title>
      <rect width={22} height={20} />
      <InfoIcon x={4} y={4} size={13} />
    </g>
  );
}

const Chip = memo(function Chip({
  node,
  box,
  stop,
  selected,
  onSelect,
  onPoint,
}: {
  node: MapNode;
  box: Box;
  stop: boolean;
  selected: boolean;
  onSelect: Props["onSelect"];
  onPoint: Props["onPoint"];
}) {
  const { t } = useTranslation();
  const { id, name, end, ends, denied, fresh } = node;
  const text = end ? name : t("network.others", { count: ends });
  return (
    <g transform={`translate(${box.x} ${box.y})`}>
      <title>{visible(text)}</title>
      <g
        role="button"
        tabIndex={stop ? 0 : -1}
        data-node={id}
        data-selected={selected || undefined}
        aria-label={[visible(text), useMarksText()(node)].filter(Boolean).join(", ")}
        className={classes.chip}
        onClick={() => onSelect(id)}
        onKeyDown={() => undefined}
        onPointerEnter={() => onPoint(id)}
        onPointerLeave={() => onPoint(undefined)}
      >
        <rect width={box.width} height={box.height} rx={5} className={classes.body} />
      </g>
      <g aria-hidden="true" className={classes.face}>
        <text x={9} y={16} className={classes.chipName} data-rest={!end || undefined}>
          {clip(text, denied + fresh > 0 ? 18 : 22)}
        </text>
        <Signs x={box.width - 7} y={12} denied={denied} fresh={fresh} small />
      </g>
    </g>
  );
});

/** A triangle with how many edges are denied, a dot with how many are new; from right to left. */
function Signs({
  x,
  y,
  denied,
  fresh,
  small = false,
}: {
  x: number;
  y: number;
  denied: number;
  fresh: number;
  small?: boolean;
}) {
  const format = useFormat();
  const deniedText = small ? "" : format.number(denied);
  const deniedWidth = denied === 0 ? 0 : 12 + deniedText.length * 6.2;
  const freshText = small ? "" : format.number(fresh);
  return (
    <>
      {denied > 0 && (
        <g transform={`translate(${x - deniedWidth} ${y})`} className={classes.deniedSign}>
          <path d="M5 -4.500l5 8.500h-10z" />
          <text x={12} y={4}>
            {deniedText}
          </text>
        </g>
      )}
      {fresh > 0 && (
        <g
          transform={`translate(${x - deniedWidth - (denied > 0 ? 5 : 0) - 10 - freshText.length * 6.2} ${y})`}
          className={classes.newSign}
        >
          <circle cx={4} cy={0} r={3.5} className={classes.newDot} />
          <text x={10} y={4}>
            {freshText}
          </text>
        </g>
      )}
    </>
  );
}

function useCount(): (kind: GroupKind, ends: number) => string {
  const { t } = useTranslation();
  return (kind, count) =>
    kind === "namespace"
      ? t("network.workloads", { count })
      : kind === "bare"
        ? t("network.containers", { count })
        : kind === "nodes"
          ? t("network.nodes", { count })
          : t("network.peers", { count });
}

function useMarksText(): (of: { denied: number; fresh: number }) => string {
  const { t } = useTranslation();
  return ({ denied, fresh }) =>
    [denied > 0 && t("network.deniedOf", { count: denied }), fresh > 0 && t("network.freshOf", { count: fresh })]
      .filter(Boolean)
      .join(", ");
}

function clip(text: string, most: number): string {
  const shown = visible(text);
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
}
