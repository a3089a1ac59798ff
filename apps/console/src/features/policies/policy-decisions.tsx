import type { AdmissionOutcome } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { CardLine } from "../../ui/card.tsx";
import { Section } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { OutcomeTag, placeOf } from "./parts.tsx";
import classes from "./policies.module.css";
import type { PolicyWithText } from "./policy-detail.tsx";

/** What it decided lately, and who broke the glass before it. */
export function PolicyDecisions({ policy: { name } }: { policy: PolicyWithText }) {
  const { t } = useTranslation();
  return (
    <>
      <Section
        title={t("policy.decisionsOf")}
        aside={
          <Link to="/policies" search={{ view: "decisions", q: name }}>
            {t("policy.all")}
          </Link>
        }
      >
        <Decisions policy={name} outcome={undefined} none={t("policy.noDecisionsOf")} />
      </Section>
      <Section title={t("policy.glass")}>
        <Decisions policy={name} outcome="bypassed" none={t("policy.noGlass")} />
      </Section>
    </>
  );
}

const shown = 8;

function Decisions({ policy, outcome, none }: { policy: string; outcome: AdmissionOutcome | undefined; none: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["admission-decisions", "of", policy, outcome],
    queryFn: async () => api.listAdmissionDecisions({ query: { policy, outcome, limit: shown } }),
  });
  if (!data) return error ? <Failed error={error} retry={() => void refetch()} /> : <Lines count={2} />;
  if (data.items.length === 0) return <p className="dim">{none}</p>;
  return (
    <ul className={classes.list}>
      {data.items.map((one) => (
        <li key={one.id} className={classes.item}>
          <CardLine end={<Ago time={one.time} />}>
            <OutcomeTag value={one.outcome} />
            <span className={`cut ${classes.name}`}>
              <Line text={placeOf(one)} />
            </span>
            <span className="dim cut">
              <Line text={one.user} />
            </span>
          </CardLine>
          <span className="dim">
            <Raw text={one.reason} mono={false} limit={300} />
          </span>
        </li>
      ))}
    </ul>
  );
}
