import { memo } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { portText } from "./edge-filter.ts";
import type { MapLink } from "./graph.ts";
import { EncryptionGlyph } from "./marks.tsx";
import classes from "./network.module.css";
import type { Route } from "./route.ts";
import { isDenied, type WhatIf } from "./what-if.ts";

interface Props {
  routes: readonly Route[];
  /** To be seen before the others; absent, where all are alike. */
  marked: readonly Route[] | undefined;
  whatIf: WhatIf | undefined;
  onSelect: (link: MapLink) => void;
}

const kinds = ["denied", "part", "allowed", "unjudged", "would"] as const;
/** More lines than this are drawn faint, without arrows and without signs for what is as usual. */
const few = 200;
/** More signs than this hide the lines. */
const mostMarks = 160;
const mostTexts = 40;

/** The lines: quiet ones below, those that are asked for above them. */
export function LinkLayer({ routes, marked, whatIf, onSelect }: Props) {
  return (
    <>
      <defs>
        {kinds.map((kind) => (
          <marker
            key={kind}
            id={`arrow-${kind}`}
            viewBox="0 0 8 8"
            refX={7}
            refY={4}
            markerWidth={8}
            markerHeight={8}
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path d="M0 .8L7.500 4L0 7.200z" className={classes.arrow} data-verdict={kind} />
          </marker>
        ))}
      </defs>
      <g
        className={classes.links}
        data-quiet={marked !== undefined || undefined}
        data-many={routes.length > few || undefined}
      >
        <Lines routes={routes} bare={routes.length > few} />
      </g>
      {marked && (
        <g className={classes.links}>
          <Lines routes={marked} whatIf={whatIf} />
        </g>
      )}
      <Hits routes={routes} onSelect={onSelect} />
      <Marks routes={marked ?? routes} texts={marked !== undefined && marked.length <= mostTexts} />
    </>
  );
}

const Lines = memo(function Lines({
  routes,
  whatIf,
  bare = false,
}: {
  routes: readonly Route[];
  whatIf?: WhatIf | undefined;
  bare?: boolean;
}) {
  return routes.map(({ link, path }) => {
    const would = whatIf && link.edges.some((edge) => isDenied(whatIf, edge));
    const kind = would ? "would" : link.verdict;
    return (
      <path
        key={link.id}
        d={path}
        className={classes.line}
        data-verdict={kind}
        data-fresh={link.fresh || undefined}
        strokeWidth={widthOf(link)}
        markerEnd={bare ? undefined : `url(#arrow-${kind})`}
      />
    );
  });
});

/** From 1 to 3.5 pixels, by the power of ten. */
function widthOf({ connections }: MapLink): number {
  return Math.round((1 + Math.min(2.5, Math.log10(Math.max(1, connections)) / 2)) * 10) / 10;
}

/** A line is thin: what can be pressed is wider. Whoever has no pointer has the table, and the list of each node. */
const Hits = memo(function Hits({ routes, onSelect }: Pick<Props, "routes" | "onSelect">) {
  return (
    <g>
      {routes.map(({ link, path }) => (
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
        <path key={link.id} d={path} className={classes.hit} data-link={link.id} onClick={() => onSelect(link)}>
          <LinkTitle link={link} />
        </path>
      ))}
    </g>
  );
});

function LinkTitle({ link }: { link: MapLink }) {
  const { t } = useTranslation();
  const format = useFormat();
  const said = [
    `${last(link.from)} → ${last(link.to)}: ${portsText(link, 6)}`,
    t("network.connectionsOf", { count: link.connections, text: format.number(link.connections) }),
    t(`network.linkVerdicts.${link.verdict}`),
    t(`network.encryptions.${link.encryption}`),
    link.fresh && t("network.new"),
  ];
  return <title>{said.filter(Boolean).join(" · ")}</title>;
}

function last(id: string): string {
  return id.slice(id.indexOf(" ") + 1).replace(/^@/, "");
}

function portsText({ edges }: MapLink, most: number): string {
  const ports = [...new Set(edges.flatMap((edge) => edge.ports.map(portText)))];
  return ports.length > most ? `${ports.slice(0, most).join(", ")}, …` : ports.join(", ");
}

/** What a line is, by a sign in its middle: its encryption, and that it is new. */
const Marks = memo(function Marks({ routes, texts }: { routes: readonly Route[]; texts: boolean }) {
  const usual = routes.length <= few;
  const shown = routes
    .filter(
      ({ link }) => texts || link.fresh || link.encryption === "credential" || (usual && link.encryption === "all"),
    )
    .slice(0, mostMarks);
  return (
    <g className={classes.marks}>
      {shown.map(({ link, middle }) => {
        const ports = texts ? portsText(link, 2).replaceAll("/TCP", "") : "";
        const glyph = link.encryption !== "unknown" && (link.encryption !== "some" || texts);
        const [glyphWidth, newWidth, textWidth] = [glyph ? 16 : 0, link.fresh ? 12 : 0, ports.length * 5.6];
        const width = glyphWidth + newWidth + textWidth + (ports === "" ? 2 : 8);
        if (glyphWidth + newWidth + textWidth === 0) return null;
        return (
          <g key={link.id} transform={`translate(${middle.x - width / 2} ${middle.y - 8})`}>
            <rect width={width} height={16} rx={8} className={classes.plate} />
            {link.fresh && <circle cx={8} cy={8} r={3.5} className={classes.newDot} />}
            {glyph && <EncryptionGlyph value={link.encryption} x={newWidth + 3} y={2} />}
            {ports !== "" && (
              <text x={newWidth + glyphWidth + 4} y={11.5} className={classes.portText}>
                {ports}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
});
