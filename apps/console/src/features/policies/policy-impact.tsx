import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@mantine/core";
import { Section } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { CardLine } from "../../ui/card.tsx";
import { violationsQuery } from "./violations-query.ts";
import { placeOf, VerdictTag } from "./parts.tsx";
import classes from "./policies.module.css";
import type { PolicyWithText } from "./policy-detail.tsx";

const shownFirst = 12;

/** Which of the workloads that run it would not let in, were they made anew. */
export function PolicyImpact({ policy }: { policy: PolicyWithText }) {
  const { t } = useTranslation();
  const { name, running } = policy;
  const { data, error, refetch } = useQuery(violationsQuery(name));
  const [all, setAll] = useState(false);
  const items = data?.items ?? [];
  return (
    <Section title={t("policy.impact")}>
      {running === null ? (
        <p className="dim">{t("policy.notLooked")}</p>
      ) : (
        <p className="dim">
          {t("policy.found", running)} {t("policy.ofObjects", { count: running.judged })}
          {running.dropped > 0 && ` ${t("policy.dropped", { count: running.dropped })}`}
        </p>
      )}
      {!data && (error ? <Failed error={error} retry={() => void refetch()} /> : <Lines count={3} />)}
      <ul className={classes.list}>
        {items.slice(0, all ? items.length : shownFirst).map((one) => (
          <li key={`${one.cluster} ${one.kind} ${placeOf(one)}`} className={classes.item}>
            <CardLine end={<Ago time={one.since} />}>
              <VerdictTag value={one.verdict} />
              <Link
                className={`cut ${classes.name}`}
                to="/clusters/$cluster"
                params={{ cluster: one.cluster }}
                search={{ q: one.name }}
              >
                <Line text={placeOf(one)} />
              </Link>
              <span className="dim">{one.kind}</span>
            </CardLine>
            <span className="dim">
              <Raw text={one.message} mono={false} limit={300} />
            </span>
          </li>
        ))}
      </ul>
      {!all && items.length > shownFirst && (
        <Button size="compact-sm" variant="default" onClick={() => setAll(true)}>
          {t("policy.showAll", { count: items.length })}
        </Button>
      )}
      {data?.next != null && all && <p className="dim">{t("policy.more")}</p>}
    </Section>
  );
}
