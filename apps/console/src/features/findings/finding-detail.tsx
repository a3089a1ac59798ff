import type { Finding } from "@bulwark/model";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { useFormat } from "../../ui/format.ts";
import { Detail, Facts, Section } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Failed, Lines, useProblem } from "../../ui/states.tsx";
import { Exact } from "../../ui/time.tsx";
import { ExploitedTag, FindingStateTag } from "./finding-parts.tsx";
import classes from "./findings.module.css";
import { References } from "./references.tsx";

export function FindingDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["finding", id],
    queryFn: async () => api.getFinding({ params: { id } }),
  });
  return (
    <Detail
      label={t("finding.kind")}
      title={data ? t("finding.title", { id: data.vulnerability.id, package: data.vulnerability.package }) : "…"}
      onClose={onClose}
      actions={<CopyButton text={location.href} label={t("copy.link")} />}
    >
      {data ? (
        <Body finding={data} />
      ) : error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Lines count={8} />
      )}
    </Detail>
  );
}

function Body({ finding }: { finding: Finding }) {
  const { t } = useTranslation();
  const { vulnerability, asset } = finding;
  const { cvss } = vulnerability;
  return (
    <>
      <div className={classes.summary}>
        <SeverityMark value={finding.severity} soft />
        {cvss && <span className="num">CVSS {cvss.score.toFixed(1)}</span>}
        {vulnerability.exploited && <ExploitedTag />}
        <FindingStateTag state={finding.state} />
      </div>
      <p className={classes.description}>
        <Raw
          text={vulnerability.summary === "" ? t("finding.noSummary") : vulnerability.summary}
          mono={false}
          limit={900}
        />
      </p>
      <Handling finding={finding} />
      <Section title={t("finding.fix")}>
        <Fix finding={finding} />
      </Section>
      <Section title={t("field.image")}>
        <Facts
          items={[
            [
              t("field.name"),
              <Link key="image" to="/assets/images" search={{ id: asset.key }}>
                <Raw text={asset.name} mono={false} />
              </Link>,
            ],
            [
              t("field.running"),
              finding.runningContainers === 0 ? (
                t("image.running", { count: 0 })
              ) : (
                <Link key="running" to="/assets/containers" search={{ q: asset.name, state: "running" }}>
                  {t("image.running", { count: finding.runningContainers })}
                </Link>
              ),
            ],
          ]}
        />
      </Section>
      <Section title={t("finding.facts")}>
        <Details finding={finding} />
      </Section>
      {vulnerability.references.length > 0 && (
        <Section title={t("finding.references")}>
          <References addresses={vulnerability.references} />
        </Section>
      )}
    </>
  );
}

function Fix({ finding: { vulnerability } }: { finding: Finding }) {
  const { t } = useTranslation();
  return (
    <dl className={classes.fix}>
      <div>
        <dt>{t("finding.installed")}</dt>
        <dd>
          <Raw text={vulnerability.version} />
        </dd>
      </div>
      <span className="dim" aria-hidden="true">
        →
      </span>
      <div>
        <dt>{t("finding.fixedIn")}</dt>
        <dd>
          {vulnerability.fixedVersion === null ? (
            t(`fixState.${vulnerability.state}`)
          ) : (
            <Raw text={vulnerability.fixedVersion} />
          )}
        </dd>
      </div>
    </dl>
  );
}

function Details({ finding }: { finding: Finding }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { vulnerability, firstSeen, lastSeen } = finding;
  const published = vulnerability.published === null ? Number.NaN : Date.parse(vulnerability.published);
  return (
    <Facts
      items={[
        [t("field.package"), <Raw key="package" text={vulnerability.package} />],
        [t("field.source"), <Raw key="source" text={vulnerability.source} />],
        [t("finding.purl"), <Raw key="purl" text={vulnerability.purl} />],
        [t("finding.vector"), vulnerability.cvss && <Raw key="vector" text={vulnerability.cvss.vector} />],
        [
          t("finding.aliases"),
          vulnerability.aliases.length > 0 && (
            <Raw key="aliases" text={vulnerability.aliases.join(", ")} mono={false} />
          ),
        ],
        [t("finding.published"), Number.isNaN(published) ? null : format.day(published)],
        [t("finding.firstSeen"), <Exact key="first" time={firstSeen} />],
        [t("finding.lastSeen"), <Exact key="last" time={lastSeen} />],
        [t("finding.feed"), <code key="feed">{vulnerability.feed}</code>],
      ]}
    />
  );
}

function Handling({ finding }: { finding: Finding }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const update = useMutation({
    mutationFn: async (state: "open" | "deferred") =>
      api.updateFinding({ params: { id: finding.fingerprint }, body: { state } }),
    onSuccess: (changed) => {
      client.setQueryData(["finding", changed.fingerprint], changed);
      return client.invalidateQueries({ queryKey: ["findings"] });
    },
  });
  const { title } = useProblem(update.error);
  if (finding.state === "fixed") return <p className={`dim ${classes.handling}`}>{t("finding.fixedText")}</p>;
  const isOpen = finding.state === "open";
  return (
    <div className={classes.handling}>
      <Button variant="default" loading={update.isPending} onClick={() => update.mutate(isOpen ? "deferred" : "open")}>
        {isOpen ? t("finding.defer") : t("finding.reopen")}
      </Button>
      <span className="dim">{isOpen ? t("finding.deferText") : t("finding.deferredText")}</span>
      {update.isError && <span role="alert">{title}</span>}
    </div>
  );
}
