import { Button } from "@mantine/core";
import type { NetworkEdge } from "@bulwark/model";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { Line } from "../../ui/raw.tsx";
import { portsOf } from "./edges-table.tsx";
import { encryptionOf, endName, verdictOf } from "./ends.ts";
import { EncryptionGlyph, NewTag, VerdictLine } from "./marks.tsx";
import { noDetail } from "./search.ts";
import type { ChangeNetwork } from "./network-page.tsx";
import classes from "./network.module.css";

interface Props {
  edges: readonly NetworkEdge[];
  change: ChangeNetwork;
}

const shownFirst = 30;

/** Edges to go to, busiest first. */
export function EdgeList({ edges, change }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const [all, setAll] = useState(false);
  const sorted = edges.toSorted((a, b) => rank(a) - rank(b) || b.connections - a.connections);
  return (
    <>
      <div className={classes.rows}>
        {sorted.slice(0, all ? sorted.length : shownFirst).map((edge) => (
          <button
            key={edge.id}
            type="button"
            className={classes.row}
            onClick={() => change({ ...noDetail, edge: edge.id })}
          >
            <VerdictLine value={verdictOf(edge)} />
            <span className="hidden-text">{t(`network.verdicts.${verdictOf(edge)}`)}</span>
            <span className={classes.two}>
              <span className={`cut ${classes.strong}`}>
                <Line text={`${endName(edge.client)} → ${endName(edge.server)}`} />
              </span>
              <span className="cut dim">
                <Line mono text={portsOf(edge)} />
              </span>
            </span>
            <span className={classes.rowEnd}>
              {edge.isNew && <NewTag />}
              <EncryptionGlyph value={encryptionOf(edge)} />
              <span className="num">{format.number(edge.connections)}</span>
            </span>
          </button>
        ))}
      </div>
      {!all && sorted.length > shownFirst && (
        <div className={classes.buttons}>
          <Button size="compact-sm" variant="default" onClick={() => setAll(true)}>
            {t("policy.showAll", { count: sorted.length })}
          </Button>
        </div>
      )}
    </>
  );
}

function rank(edge: NetworkEdge): number {
  return verdictOf(edge) === "denied" ? 0 : edge.isNew ? 1 : 2;
}
