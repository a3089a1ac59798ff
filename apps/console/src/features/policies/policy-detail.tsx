import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Answer } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { Detail, Facts, Section, Tag } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Exact } from "../../ui/time.tsx";
import { ModeTag } from "./parts.tsx";
import { kindOf } from "./policies-table.tsx";
import classes from "./policies.module.css";
import { PolicyDecisions } from "./policy-decisions.tsx";
import { PolicyImpact } from "./policy-impact.tsx";
import { SettingForm } from "./setting-form.tsx";

export type PolicyWithText = Answer<"getPolicy">;

interface Props {
  id: string;
  onClose: () => void;
  /** Changes a text that was written here. */
  onEdit: (document: string, text: string) => void;
}

/** One policy: why, how it is in force, what it says of all that runs, what it decided, and how it is written. */
export function PolicyDetail({ id, onClose, onEdit }: Props) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["policy", id],
    queryFn: async () => api.getPolicy({ params: { id } }),
  });
  return (
    <Detail
      label={t("policy.policy")}
      title={data ? <Raw text={data.title} mono={false} /> : "…"}
      onClose={onClose}
      actions={<CopyButton text={location.href} label={t("copy.link")} />}
    >
      {data ? (
        <Body policy={data} onEdit={onEdit} />
      ) : error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Lines count={8} />
      )}
    </Detail>
  );
}

function Body({ policy, onEdit }: { policy: PolicyWithText; onEdit: Props["onEdit"] }) {
  const { t } = useTranslation();
  const { name, severity, kind, source, setting, why, remedy, place, text, fixable } = policy;
  return (
    <>
      <div className={classes.summary}>
        <SeverityMark value={severity} soft />
        <ModeTag setting={setting} />
        <Tag>{t(`policy.kinds.${kindOf(kind)}`)}</Tag>
        <code className="dim">{name}</code>
      </div>
      {why !== "" && (
        <p className={classes.text}>
          <Raw text={why} mono={false} />
        </p>
      )}
      {remedy !== "" && (
        <Section title={t("policy.remedy")}>
          <p className={classes.text}>
            <Raw text={remedy} mono={false} />
          </p>
          {fixable && <p className="dim">{t("policy.fixable")}</p>}
        </Section>
      )}
      <InForce policy={policy} />
      {kind !== "MutatingAdmissionPolicy" && <PolicyImpact policy={policy} />}
      <PolicyDecisions policy={policy} />
      <Section
        title={t("policy.text")}
        aside={
          <>
            <CopyButton text={text} />
            {source === "console" && (
              <Button size="compact-sm" variant="default" onClick={() => onEdit(place, text)}>
                {t("policy.change")}
              </Button>
            )}
          </>
        }
      >
        <p className="dim">
          {t(`policy.sources.${source}`)}: <Raw text={place} />
        </p>
        {/* A long text scrolls, so the keyboard must reach it. */}
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <pre className={classes.source} tabIndex={0}>
          {text}
        </pre>
      </Section>
    </>
  );
}

function InForce({ policy }: { policy: PolicyWithText }) {
  const { t } = useTranslation();
  const [changing, setChanging] = useState(false);
  const { setting, source, fixable } = policy;
  return (
    <Section
      title={t("policy.inForce")}
      aside={
        !changing &&
        source !== "cluster" && (
          <Button size="compact-sm" variant="default" onClick={() => setChanging(true)}>
            {t("policy.change")}
          </Button>
        )
      }
    >
      {changing ? (
        <SettingForm policy={policy} done={() => setChanging(false)} />
      ) : (
        <Facts
          items={[
            [t("policy.mode"), t(`policy.modes.${setting?.mode ?? "off"}`)],
            [t("policy.observes"), setting?.from != null && <Exact time={setting.from} />],
            [t("policy.away"), setting && t(`policy.failure.${setting.failurePolicy}`)],
            [t("policy.excluded"), setting?.excludedNamespaces.join(", ")],
            [t("policy.fix"), fixable && setting?.fix === true && t("policy.fixOn")],
          ]}
        />
      )}
      {source === "cluster" && <p className="dim">{t("policy.byCluster")}</p>}
    </Section>
  );
}
