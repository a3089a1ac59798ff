import type { Container } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useKnown } from "../../i18n/known.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { Detail, Facts, Section, Tag } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import { SeverityGlyph } from "../../ui/severity.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago, Exact } from "../../ui/time.tsx";
import { Timeline } from "../alerts/timeline.tsx";
import classes from "./assets.module.css";
import { ContainerFacts } from "./container-facts.tsx";
import { ContainerFlags, ContainerState } from "./container-state.tsx";

export function ContainerDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["container", id],
    queryFn: async () => api.getContainer({ params: { id } }),
  });
  return (
    <Detail
      label={t("field.container")}
      title={data ? <Raw text={data.name} mono={false} /> : "…"}
      onClose={onClose}
      actions={<CopyButton text={location.href} label={t("copy.link")} />}
    >
      {data ? (
        <Body container={data} />
      ) : error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Lines count={8} />
      )}
    </Detail>
  );
}

function Body({ container }: { container: Container }) {
  const { t } = useTranslation();
  const { startedAt, finishedAt, pid, capabilities, mounts } = container;
  const labels = Object.entries(container.labels);
  return (
    <>
      <div className={classes.summary}>
        <ContainerState state={container.state} />
        <ContainerFlags container={container} />
      </div>
      <ContainerFacts container={container} node={container.node} />
      <Facts
        items={[
          [t("field.started"), startedAt !== null && <Exact key="started" time={startedAt} />],
          [t("container.finished"), finishedAt !== null && <Exact key="finished" time={finishedAt} />],
          [t("process.pid"), pid],
          [t("container.namespace"), container.runtimeNamespace],
        ]}
      />
      <Section title={t("container.alerts")} aside={<AllAlerts id={container.id} />}>
        <Alerts id={container.id} />
      </Section>
      <Section title={t("container.capabilities")}>
        {capabilities.length === 0 ? (
          <p className="dim">{t("container.noCapabilities")}</p>
        ) : (
          <div className={classes.wrap}>
            {capabilities.map((name) => (
              <Tag key={name} tone={strong.has(name) ? "warn" : "plain"}>
                {name.replace("CAP_", "")}
              </Tag>
            ))}
          </div>
        )}
      </Section>
      {labels.length > 0 && (
        <Section title={t("container.labels")}>
          <div className={classes.labels}>
            {labels.map(([name, value]) => (
              <span key={name} className={`mono ${classes.label}`}>
                <em>
                  <Raw text={name} />=
                </em>
                <Raw text={value} limit={120} />
              </span>
            ))}
          </div>
        </Section>
      )}
      {mounts.length > 0 && (
        <Section title={t("container.mounts")}>
          <ul>
            {mounts.slice(0, mostMounts).map((mount) => (
              <li key={`${mount.target}\n${mount.source}`} className={classes.mount}>
                <Raw text={mount.target} />
                <span className={classes.mountEnd}>
                  <Raw text={mount.source === "" ? mount.type : `${mount.type} · ${mount.source}`} />
                  <Tag>{mount.readOnly ? t("container.readOnly") : t("container.writable")}</Tag>
                </span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title={t("container.events")}>
        <Timeline container={container.id} />
      </Section>
    </>
  );
}

const mostMounts = 100;

/** Capabilities that are a way out of the container (man 7 capabilities). */
const strong = new Set([
  "CAP_SYS_ADMIN",
  "CAP_SYS_MODULE",
  "CAP_SYS_PTRACE",
  "CAP_SYS_RAWIO",
  "CAP_DAC_READ_SEARCH",
  "CAP_BPF",
  "CAP_PERFMON",
  "CAP_NET_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_TIME",
  "CAP_MKNOD",
]);

function AllAlerts({ id }: { id: string }) {
  const { t } = useTranslation();
  return (
    <Link to="/alerts" search={{ container: id }}>
      {t("container.allAlerts")}
    </Link>
  );
}

const fewAlerts = 5;

function Alerts({ id }: { id: string }) {
  const { t } = useTranslation();
  const known = useKnown();
  const { data, error, refetch } = useQuery({
    queryKey: ["alerts-of", id],
    queryFn: async () => api.listAlerts({ query: { container: id, limit: fewAlerts } }),
  });
  if (error) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return <Lines count={2} />;
  if (data.items.length === 0) return <p className="dim">{t("container.noAlerts")}</p>;
  return (
    <div className={classes.rows}>
      {data.items.map((alert) => (
        <Link key={alert.id} to="/alerts" search={{ container: id, id: alert.id }} className={classes.rowLink}>
          <SeverityGlyph value={alert.severity} />
          <span className="hidden-text">{t(`severity.${alert.severity}`)}</span>
          <Line text={known.rule(alert.rule, "title", alert.title)} />
          <span className={`dim ${classes.end}`}>
            <Ago time={alert.time} />
          </span>
        </Link>
      ))}
    </div>
  );
}
