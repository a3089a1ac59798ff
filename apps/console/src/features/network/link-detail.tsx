import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { Detail, Section } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { EdgeList } from "./edge-list.tsx";
import type { MapLink } from "./graph.ts";
import { useNodeName } from "./names.ts";
import { EncryptionMark, VerdictLine } from "./marks.tsx";
import type { ChangeNetwork } from "./network-page.tsx";
import classes from "./network.module.css";

/** All that one line of the map stands for. */
export function LinkDetail({ link, change }: { link: MapLink | undefined; change: ChangeNetwork }) {
  const { t } = useTranslation();
  const format = useFormat();
  const nameOf = useNodeName();
  return (
    <Detail
      label={t("network.link")}
      title={link ? <Line text={`${nameOf(link.from)} → ${nameOf(link.to)}`} /> : t("network.gone")}
      onClose={() => change({ link: undefined })}
    >
      {link ? (
        <>
          <div className={classes.summary}>
            <span className={classes.mark}>
              <VerdictLine value={link.verdict} />
              {t(`network.linkVerdicts.${link.verdict}`)}
            </span>
            <EncryptionMark value={link.encryption} />
            <span className="dim num">
              {t("network.connectionsOf", { count: link.connections, text: format.number(link.connections) })}
            </span>
          </div>
          <Section title={t("network.pairs", { count: link.edges.length, text: format.number(link.edges.length) })}>
            <EdgeList edges={link.edges} change={change} />
          </Section>
        </>
      ) : (
        <p className="dim">{t("network.goneText")}</p>
      )}
    </Detail>
  );
}
