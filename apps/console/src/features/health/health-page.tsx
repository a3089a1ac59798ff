import type { Component } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useKnown } from "../../i18n/known.ts";
import { useFormat } from "../../ui/format.ts";
import { Page } from "../../ui/page.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { StateMark } from "./state-mark.tsx";
import classes from "./health.module.css";
import { healthQuery } from "./health-query.ts";

/** What is on, what is off, why, and what would turn it on. */
export function HealthPage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(healthQuery);
  return (
    <Page
      title={t("health.title")}
      aside={data && <span className="dim">{t("health.version", { version: data.version })}</span>}
      scroll
    >
      {data ? (
        <div className={classes.nodes}>
          {byNode(data.components).map(([node, components]) => (
            <Node key={node} name={node} components={components} />
          ))}
        </div>
      ) : error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Lines count={10} />
      )}
    </Page>
  );
}

const order = ["failed", "degraded", "off", "ok"];

/** The server first, then the nodes; in each, what is broken first. */
function byNode(components: Component[]): [node: string, components: Component[]][] {
  const nodes = Map.groupBy(components, ({ node }) => node);
  for (const list of nodes.values()) {
    list.sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state) || one.id.localeCompare(other.id));
  }
  return [...nodes].sort(
    ([one], [other]) => Number(other === "server") - Number(one === "server") || one.localeCompare(other),
  );
}

function Node({ name, components }: { name: string; components: Component[] }) {
  const { t } = useTranslation();
  const isServer = name === "server";
  const well = components.filter(({ state }) => state === "ok").length;
  return (
    <section className={classes.node} aria-label={name}>
      <header className={classes.nodeHead}>
        <h2 className={classes.nodeName}>{isServer ? t("health.server") : name}</h2>
        {!isServer && (
          <Link to="/assets/containers" search={{ node: name, state: "running" }}>
            {t("assets.containers")}
          </Link>
        )}
        <span className={`dim ${classes.end}`}>{t("health.well", { count: well, total: components.length })}</span>
      </header>
      <ul>
        {components.map((component) => (
          <Part key={component.id} component={component} />
        ))}
      </ul>
    </section>
  );
}

function Part({ component }: { component: Component }) {
  const { t } = useTranslation();
  const known = useKnown();
  const { id, state, summary, reason, remedy, updatedAt } = component;
  return (
    <li className={classes.part} data-state={state}>
      <StateMark state={state} />
      <div className={classes.text}>
        <h3 className={classes.name}>
          {known.component(id)} {known.component(id) !== id && <code className="dim">{id}</code>}
        </h3>
        <p className="dim">{summary}</p>
        {reason !== "" && (
          <dl className={classes.why}>
            <div>
              <dt>{t("health.why")}</dt>
              <dd className={reason.includes("\n") ? classes.lines : undefined}>{reason}</dd>
            </div>
            {remedy !== "" && (
              <div>
                <dt>{t("health.remedy")}</dt>
                <dd>{remedy}</dd>
              </div>
            )}
          </dl>
        )}
      </div>
      <Counters counters={component.counters} />
      <span className={`dim ${classes.updated}`}>
        <Ago time={updatedAt} />
      </span>
    </li>
  );
}

function Counters({ counters }: { counters: Component["counters"] }) {
  const format = useFormat();
  const known = useKnown();
  return (
    <dl className={classes.counters}>
      {Object.entries(counters).map(([name, value]) => (
        <div key={name} data-loss={isLoss(name) && value > 0}>
          <dt title={name}>{known.counter(name)}</dt>
          <dd className="num">{sizes.has(name) ? format.bytes(value) : format.number(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

const sizes = new Set(["bytes", "free"]);

function isLoss(name: string): boolean {
  return name.startsWith("lost.") || name === "failed" || name === "abandoned";
}
