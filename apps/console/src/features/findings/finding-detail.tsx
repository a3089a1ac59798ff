import type { Finding, Vulnerability } from "@bulwark/model";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { Detail, Facts, Section } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Failed, Lines, useProblem } from "../../ui/states.tsx";
import { FindingFacts, FindingPlace } from "./finding-facts.tsx";
import { ExploitedTag, FindingStateTag } from "./finding-parts.tsx";
import { wordsOf } from "./finding-words.ts";
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
      label={data ? t(`findingKind.${data.kind}`) : t("finding.kind")}
      title={data ? <Title finding={data} /> : "…"}
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

function Title({ finding }: { finding: Finding }) {
  const { t } = useTranslation();
  if (finding.kind !== "vulnerability") return <Raw text={finding.title} mono={false} />;
  const { id, package: name } = finding.vulnerability;
  return t("finding.title", { id, package: name });
}

function Body({ finding }: { finding: Finding }) {
  const { t } = useTranslation();
  const { exploited, score } = wordsOf(finding);
  const description = descriptionOf(finding);
  const isPlaced = finding.locations.length > 0 || finding.layer !== null;
  return (
    <>
      <div className={classes.summary}>
        <SeverityMark value={finding.severity} soft />
        {score !== undefined && <span className="num">CVSS {score.toFixed(1)}</span>}
        {exploited && <ExploitedTag />}
        <FindingStateTag state={finding.state} />
      </div>
      <p className={classes.description}>
        <Raw text={description === "" ? t("finding.noSummary") : description} mono={false} limit={900} />
      </p>
      <Handling finding={finding} />
      <Section title={t("finding.fix")}>
        {finding.kind === "vulnerability" ? (
          <Fix vulnerability={finding.vulnerability} />
        ) : (
          <p className={classes.description}>
            <Raw text={remedyOf(finding)} mono={false} limit={900} />
          </p>
        )}
      </Section>
      <Section title={t("field.image")}>
        <Facts
          items={[
            [
              t("field.name"),
              <Link key="image" to="/assets/images" search={{ id: finding.asset.key }}>
                <Raw text={finding.asset.name} mono={false} />
              </Link>,
            ],
            [
              t("field.running"),
              finding.runningContainers === 0 ? (
                t("image.running", { count: 0 })
              ) : (
                <Link key="running" to="/assets/containers" search={{ q: finding.asset.name, state: "running" }}>
                  {t("image.running", { count: finding.runningContainers })}
                </Link>
              ),
            ],
            [t("finding.workloads"), <Workloads key="workloads" image={finding.asset.key} />],
          ]}
        />
      </Section>
      {isPlaced && (
        <Section title={t("finding.place")}>
          <FindingPlace finding={finding} />
        </Section>
      )}
      <Section title={t("finding.facts")}>
        <FindingFacts finding={finding} />
      </Section>
      {finding.kind === "vulnerability" && finding.vulnerability.references.length > 0 && (
        <Section title={t("finding.references")}>
          <References addresses={finding.vulnerability.references} />
        </Section>
      )}
    </>
  );
}

function descriptionOf(finding: Finding): string {
  switch (finding.kind) {
    case "vulnerability":
      return finding.vulnerability.summary;
    case "secret":
      return finding.secret.title;
    case "malware":
      return finding.malware.title;
    case "misconfiguration":
      return finding.misconfiguration.reason;
  }
}

function remedyOf(finding: Exclude<Finding, { kind: "vulnerability" }>): string {
  if (finding.kind === "secret") return finding.secret.remedy;
  return finding.kind === "malware" ? finding.malware.remedy : finding.misconfiguration.remedy;
}

const workloadsShown = 8;

/** Where it runs now, in clusters. */
function Workloads({ image }: { image: string }) {
  const { t } = useTranslation();
  const { data } = useQuery({
    queryKey: ["workloads", image],
    queryFn: async () => api.listKubeObjects({ query: { image, limit: workloadsShown } }),
  });
  if (!data || data.items.length === 0) return data ? t("finding.noWorkloads") : "…";
  return (
    <ul className={classes.locations}>
      {data.items.map((object) => (
        <li key={object.uid}>
          <Link to="/clusters/$cluster" params={{ cluster: object.cluster }} search={{ q: object.name }}>
            {object.namespace === "" ? object.name : `${object.namespace}/${object.name}`}
          </Link>
        </li>
      ))}
      {data.next !== null && <li>…</li>}
    </ul>
  );
}

function Fix({ vulnerability }: { vulnerability: Vulnerability }) {
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
