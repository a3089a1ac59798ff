import type { StoredAlert } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useKnown } from "../../i18n/known.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { ExternalIcon } from "../../ui/icons.tsx";
import { useFormat } from "../../ui/format.ts";
import { Detail, Facts, Section } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago, Exact } from "../../ui/time.tsx";
import { ContainerFacts } from "../assets/container-facts.tsx";
import { AlertHandling } from "./alert-handling.tsx";
import { AlertResponse } from "./alert-response.tsx";
import { AlertStateTag } from "./alert-state.tsx";
import classes from "./alerts.module.css";
import { ProcessTree } from "./process-tree.tsx";
import { RequestFacts } from "./request-facts.tsx";
import { RuleExcerpt } from "./rule-excerpt.tsx";
import { Timeline } from "./timeline.tsx";

export function AlertDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const known = useKnown();
  const {
    data: alert,
    error,
    refetch,
  } = useQuery({
    queryKey: ["alert", id],
    queryFn: async () => api.getAlert({ params: { id } }),
  });
  return (
    <Detail
      label={t("field.alert")}
      title={alert ? <Raw text={known.rule(alert.rule, "title", alert.title)} mono={false} /> : "…"}
      onClose={onClose}
      actions={<CopyButton text={location.href} label={t("copy.link")} />}
    >
      {alert ? (
        <Body alert={alert} />
      ) : error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Lines count={9} />
      )}
    </Detail>
  );
}

function Body({ alert }: { alert: StoredAlert }) {
  const { t } = useTranslation();
  const format = useFormat();
  const known = useKnown();
  return (
    <>
      <div className={classes.summary}>
        <SeverityMark value={alert.severity} soft />
        <AlertStateTag state={alert.state} />
        <span className="dim">
          <Ago time={alert.time} /> · <Exact time={alert.time} />
        </span>
      </div>
      {alert.repeats && (
        <p className="dim">
          {t("alerts.repeats", { count: alert.repeats.count, text: format.number(alert.repeats.count) })} ·{" "}
          <Ago time={alert.repeats.last} />
        </p>
      )}
      <p className={classes.description}>
        <Raw text={known.rule(alert.rule, "description", alert.description)} mono={false} />
      </p>
      <AlertHandling alert={alert} />
      {alert.container && <AlertResponse alert={alert} container={alert.container} />}
      <Evidence alert={alert} />
      {alert.request && (
        <Section title={t("alerts.request")}>
          <RequestFacts request={alert.request} />
        </Section>
      )}
      {alert.process && (
        <Section title={t("alerts.process")}>
          <ProcessTree
            process={alert.process}
            ancestors={alert.ancestors}
            container={alert.container?.id}
            time={alert.time}
          />
        </Section>
      )}
      {(alert.container ?? alert.process) && <Place alert={alert} />}
      <Section title={t("alerts.remedy")}>
        <p className={classes.remedy}>
          <Raw text={known.rule(alert.rule, "remedy", alert.remedy)} mono={false} />
        </p>
      </Section>
      {alert.container && (
        <Section title={t("alerts.timeline")}>
          <Timeline container={alert.container.id} time={alert.time} marked={alert.events} />
        </Section>
      )}
      <RuleExcerpt alert={alert} />
      <Section title={t("alerts.facts")}>
        <Facts
          items={[
            [t("alerts.techniques"), <Techniques key="techniques" ids={alert.techniques} />],
            [t("field.rule"), <code key="rule">{alert.rule}</code>],
            [t("field.node"), alert.node],
            [t("alerts.received"), <Exact key="received" time={alert.receivedAt} />],
            [t("alerts.id"), <code key="id">{alert.id}</code>],
          ]}
        />
      </Section>
    </>
  );
}

function Place({ alert }: { alert: StoredAlert }) {
  const { t } = useTranslation();
  return (
    <Section
      title={t("field.container")}
      aside={
        alert.container && (
          <Link to="/assets/containers" search={{ id: alert.container.id }}>
            {t("alerts.openContainer")}
          </Link>
        )
      }
    >
      {alert.container ? (
        <ContainerFacts container={alert.container} node={alert.node} />
      ) : (
        <p className="dim">{t(`attribution.${alert.attribution}`)}</p>
      )}
    </Section>
  );
}

function Evidence({ alert }: { alert: StoredAlert }) {
  const { t } = useTranslation();
  const known = useKnown();
  const lead = alert.evidence.find(({ key }) => key === "peer");
  const others = alert.evidence.filter((item) => item !== lead);
  return (
    <Section title={t("alerts.evidence")}>
      {lead && (
        <div className={classes.peer}>
          <span className={classes.peerName}>{known.evidence(lead.key)}</span>
          <span className={classes.peerValue}>
            <Raw text={lead.value} />
          </span>
          <CopyButton text={lead.value} />
        </div>
      )}
      <Facts
        items={others.map(({ key, value }) => [
          known.evidence(key),
          <Raw key={key} text={known.evidenceValue(key, value)} mono={known.evidenceValue(key, value) === value} />,
        ])}
      />
    </Section>
  );
}

function Techniques({ ids }: { ids: string[] }) {
  const known = useKnown();
  return (
    <span className={classes.techniques}>
      {ids.map((id) => (
        <a key={id} href={techniqueAddress(id)} target="_blank" rel="noopener noreferrer">
          {id} {known.technique(id)} <ExternalIcon size={12} />
        </a>
      ))}
    </span>
  );
}

/** `T1059.004` → its page at MITRE. */
function techniqueAddress(id: string): string {
  const path = id.split(".").map(encodeURIComponent).join("/");
  return `https://attack.mitre.org/techniques/${path}/`;
}
