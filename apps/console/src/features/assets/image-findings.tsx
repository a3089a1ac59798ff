import type { Finding } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { Tag } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { wordsOf } from "../findings/finding-words.ts";
import classes from "./assets.module.css";

const few = 20;

/** The worst open findings of an image. */
export function ImageFindings({ id }: { id: string }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["finding", "of", id],
    queryFn: async () => api.listFindings({ query: { image: id, state: "open", limit: few } }),
  });
  if (error) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return <Lines count={5} />;
  if (data.items.length === 0) return <p className="dim">{t("image.noFindings")}</p>;
  return (
    <div className={classes.rows}>
      {data.items.map((finding) => (
        <Row key={finding.fingerprint} finding={finding} />
      ))}
      {data.next !== null && (
        <Link to="/findings" search={{ image: id, state: "open" }} className={classes.rowLink}>
          {t("image.allFindings")}
        </Link>
      )}
    </div>
  );
}

function Row({ finding }: { finding: Finding }) {
  const { t } = useTranslation();
  const { fingerprint, severity, asset, kind } = finding;
  const { name, where, exploited } = wordsOf(finding);
  return (
    <Link to="/findings" search={{ image: asset.key, id: fingerprint }} className={classes.rowLink}>
      <span style={{ flex: "0 0 84px" }}>
        <SeverityMark value={severity} />
      </span>
      <span className={`cut ${classes.name}`}>{name}</span>
      <span className="cut dim">
        <Line text={where} />
      </span>
      <span className={classes.end}>
        {exploited ? (
          <Tag tone="bad">{t("finding.exploited")}</Tag>
        ) : kind !== "vulnerability" ? (
          <Tag>{t(`findingKind.${kind}`)}</Tag>
        ) : (
          finding.vulnerability.fixedVersion !== null && <Tag tone="good">{t("finding.fixable")}</Tag>
        )}
      </span>
    </Link>
  );
}
