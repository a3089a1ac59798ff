import type { KubeContainer, KubeRow } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useKnown } from "../../i18n/known.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { Detail, Facts, Section, Tag } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import { SeverityBar, SeverityGlyph } from "../../ui/severity.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago, Exact } from "../../ui/time.tsx";
import type { ChangeCluster } from "./cluster-page.tsx";
import classes from "./clusters.module.css";
import { ObjectStatus } from "./parts.tsx";

interface Props {
  cluster: string;
  uid: string;
  change: ChangeCluster;
  onClose: () => void;
}

export function ObjectDetail({ cluster, uid, change, onClose }: Props) {
  const { data, error, refetch } = useQuery({
    queryKey: ["kube-object", cluster, uid],
    queryFn: async () => api.getKubeObject({ params: { cluster, uid } }),
  });
  const { t } = useTranslation();
  return (
    <Detail
      label={data?.kind ?? ""}
      title={data ? <Raw text={data.name} mono={false} /> : "…"}
      onClose={onClose}
      actions={<CopyButton text={location.href} label={t("copy.link")} />}
    >
      {data ? (
        <Body object={data} change={change} />
      ) : error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Lines count={8} />
      )}
    </Detail>
  );
}

function Body({ object, change }: { object: KubeRow; change: ChangeCluster }) {
  const { t } = useTranslation();
  const known = useKnown();
  const { cluster, namespace, owners, node, facts, containers, deletedAt, uid } = object;
  const labels = Object.entries(object.labels);
  return (
    <>
      <Inside object={object} change={change} />
      <Facts
        items={[
          [t("field.state"), <ObjectStatus key="state" object={object} />],
          [t("cluster.name"), cluster],
          [
            t("cluster.namespace"),
            namespace !== "" && (
              <Link key="namespace" to="/clusters/$cluster" params={{ cluster }} search={{ namespace }}>
                <Line text={namespace} />
              </Link>
            ),
          ],
          [t("cluster.owners"), owners.length > 0 && <Owners key="owners" object={object} change={change} />],
          [
            t("field.node"),
            node !== null && (
              <Link key="node" to="/clusters/$cluster" params={{ cluster }} search={{ view: "pods", node }}>
                <Line text={node} />
              </Link>
            ),
          ],
          ...facts.map(({ key, value }, index): [string, React.ReactNode] => [
            `${known.kubeFact(key)}${key === "rule" || key === "subject" ? ` ${index + 1}` : ""}`,
            <Raw key={`${key} ${value}`} text={value} mono={false} />,
          ]),
          [t("cluster.created"), object.createdAt > 0 && <Exact key="created" time={object.createdAt} />],
          [t("cluster.firstSeen"), <Exact key="first" time={object.firstSeen} />],
          [t("cluster.lastSeen"), <Exact key="last" time={object.lastSeen} />],
          [t("cluster.deleted"), deletedAt !== null && <Exact key="deleted" time={deletedAt} />],
          [t("field.id"), <code key="id">{uid}</code>],
        ]}
      />
      {object.byReference && <p className="dim">{t("cluster.byReference")}</p>}
      {containers.length > 0 && (
        <Section title={t("assets.containers")}>
          <Containers containers={containers} />
        </Section>
      )}
      <Section
        title={t("container.alerts")}
        aside={
          <Link to="/alerts" search={{ object: `${cluster}/${uid}` }}>
            {t("container.allAlerts")}
          </Link>
        }
      >
        <Alerts object={`${cluster}/${uid}`} />
      </Section>
      {labels.length > 0 && (
        <Section title={t("container.labels")}>
          <div className={classes.wrap}>
            {labels.map(([name, value]) => (
              <button
                key={name}
                type="button"
                className={`mono ${classes.label}`}
                title={t("cluster.findLabel")}
                onClick={() => change({ labels: `${name}=${value}` })}
              >
                <em>
                  <Raw text={name} />=
                </em>
                <Raw text={value} limit={120} />
              </button>
            ))}
          </div>
        </Section>
      )}
    </>
  );
}

function Inside({ object, change }: { object: KubeRow; change: ChangeCluster }) {
  const { t } = useTranslation();
  const { kind, name, uid, known } = object;
  return (
    <div className={classes.links}>
      {kind === "Namespace" && (
        <button type="button" className={classes.label} onClick={() => change({ namespace: name }, "all")}>
          {t("cluster.views.workloads")}
        </button>
      )}
      {kind !== "Pod" && known.pods > 0 && (
        <button
          type="button"
          className={classes.label}
          onClick={() =>
            change(
              {
                view: "pods",
                ...(kind === "Namespace" ? { namespace: name } : kind === "Node" ? { node: name } : { owner: uid }),
              },
              "all",
            )
          }
        >
          {t("cluster.podsOf", { count: known.pods })}
        </button>
      )}
      <span>
        {t("nav.findings")} <SeverityBar counts={known.findings} />
      </span>
    </div>
  );
}

function Owners({ object, change }: { object: KubeRow; change: ChangeCluster }) {
  return (
    <span className={classes.wrap}>
      {object.owners.map(({ kind, name, uid }) => (
        <button key={uid} type="button" className={classes.label} onClick={() => change({ id: uid })}>
          <Line text={`${kind}/${name}`} />
        </button>
      ))}
    </span>
  );
}

/** Each leads to the container as its runtime tells of it: its processes, its image, what happened in it. */
function Containers({ containers }: { containers: KubeContainer[] }) {
  const { t } = useTranslation();
  return (
    <ul className={classes.rows}>
      {containers.map(({ name, id, image, digest, state, reason, restarts, init }) => (
        <li key={name} className={classes.row}>
          {id === null ? (
            <Line text={name} />
          ) : (
            <Link to="/assets/containers" search={{ id }}>
              <Line text={name} />
            </Link>
          )}
          {init && <Tag>{t("cluster.init")}</Tag>}
          <Tag tone={state === "running" ? "good" : reason === "Completed" || reason === "" ? "plain" : "bad"}>
            {reason === "" ? t(`cluster.containerStates.${state}`) : reason}
          </Tag>
          {restarts > 0 && <Tag tone="warn">{t("cluster.restarts", { count: restarts })}</Tag>}
          <span className={`cut ${classes.end}`}>
            {digest === null ? (
              <Line text={image} />
            ) : (
              <Link to="/assets/images" search={{ q: digest }}>
                <Line text={image} />
              </Link>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

const fewAlerts = 5;

function Alerts({ object }: { object: string }) {
  const { t } = useTranslation();
  const known = useKnown();
  const { data, error, refetch } = useQuery({
    queryKey: ["alerts-of-object", object],
    queryFn: async () => api.listAlerts({ query: { object, limit: fewAlerts } }),
  });
  if (error) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return <Lines count={2} />;
  if (data.items.length === 0) return <p className="dim">{t("container.noAlerts")}</p>;
  return (
    <div className={classes.rows}>
      {data.items.map((alert) => (
        <Link key={alert.id} to="/alerts" search={{ object, id: alert.id }} className={classes.row}>
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
