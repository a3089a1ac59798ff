import type { BenchmarkCheckDetail } from "@bulwark/contract";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { Detail, Facts, Section, Tag } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import { SeverityMark } from "../../ui/severity.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago, Exact } from "../../ui/time.tsx";
import { ExceptionForm } from "./exception-form.tsx";
import { CheckStateTag } from "./parts.tsx";
import classes from "./posture.module.css";
import { assetOf } from "./search.ts";

interface Props {
  id: string;
  /** Whose evidence is open first. */
  asset: string | undefined;
  onClose: () => void;
}

/** One check: what it says of every host and cluster, with the evidence; why, and what to do. */
export function CheckDetail({ id, asset, onClose }: Props) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["benchmark-check", id],
    queryFn: async () => api.getBenchmarkCheck({ params: { id } }),
  });
  return (
    <Detail
      label={t("posture.check")}
      title={data?.title ?? "…"}
      onClose={onClose}
      actions={<CopyButton text={location.href} label={t("copy.link")} />}
    >
      {data ? (
        <Body check={data} asset={asset} />
      ) : error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Lines count={8} />
      )}
    </Detail>
  );
}

function Body({ check, asset }: { check: BenchmarkCheckDetail; asset: string | undefined }) {
  const { t } = useTranslation();
  const standardName = useStandardName();
  const clauses = Object.entries(check.clauses).filter(([, list]) => list.length > 0);
  return (
    <>
      <div className={classes.summary}>
        <SeverityMark value={check.severity} soft />
        <Tag>{t(`posture.answerer.${check.answers}`)}</Tag>
        {check.level === 2 && <Tag>{t("posture.levelTwo")}</Tag>}
        <code className="dim">{check.check}</code>
      </div>
      <p className={classes.why}>{check.why}</p>
      <Section title={t("posture.remedy")}>
        <p className={classes.why}>{check.remedy}</p>
        {check.mendable && <p className="dim">{t("posture.mendable")}</p>}
      </Section>
      <Section title={t("posture.assets")}>
        <Subjects check={check} asset={asset} />
      </Section>
      <Exceptions check={check} />
      <Section title={t("posture.whereFrom")}>
        <Facts
          items={[
            ...check.sets.map(({ title, number }): [string, string] => [title, number]),
            ...clauses.map(([name, list]): [string, string] => [standardName(name), list.join(", ")]),
          ]}
        />
      </Section>
    </>
  );
}

const standards = ["nsa-cisa", "attack", "pci-dss", "mlps"] as const;

function useStandardName(): (name: string) => string {
  const { t } = useTranslation();
  return (name) => {
    const known = standards.find((one) => one === name);
    return known === undefined ? name : t(`posture.standard.${known}`);
  };
}

function Subjects({ check, asset }: { check: BenchmarkCheckDetail; asset: string | undefined }) {
  const { t } = useTranslation();
  const failing = check.subjects.find(({ state }) => state === "fail");
  const first = asset ?? (failing && `${failing.subject.kind}/${failing.subject.name}`);
  const [open, setOpen] = useState(first);
  if (check.subjects.length === 0) return <p className="dim">{t("posture.notAsked")}</p>;
  return (
    <ul className={classes.subjects}>
      {check.subjects.map(({ subject, state, since, excepted }) => {
        const key = `${subject.kind}/${subject.name}`;
        const isOpen = key === open;
        return (
          <li key={key}>
            <button
              type="button"
              className={classes.subject}
              aria-expanded={isOpen}
              onClick={() => setOpen(isOpen ? undefined : key)}
            >
              <CheckStateTag state={state} excepted={excepted} />
              <span className={`cut ${classes.name}`}>
                <Line text={subject.name} />
              </span>
              <span className={`dim ${classes.end}`}>
                <Ago time={since} />
              </span>
            </button>
            {isOpen && <Evidence check={check.check} asset={key} />}
          </li>
        );
      })}
    </ul>
  );
}

function Evidence({ check, asset }: { check: string; asset: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["benchmark-evidence", asset, check],
    queryFn: async () => api.getBenchmarkResults({ query: { ...assetOf(asset), check } }),
  });
  if (!data) return error ? <Failed error={error} retry={() => void refetch()} /> : <Lines count={2} />;
  return (
    <div className={classes.evidence}>
      {data.results.slice(0, 20).map((result) => (
        <div key={result.reason}>
          <p>
            <Raw text={result.reason} mono={false} />
          </p>
          <Facts
            items={result.evidence.map(({ key, value }): [string, React.ReactNode] => [
              key,
              <Raw key={key} text={value} />,
            ])}
          />
        </div>
      ))}
    </div>
  );
}

function Exceptions({ check }: { check: BenchmarkCheckDetail }) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const refresh = useRefresh(check.check);
  const end = useMutation({
    mutationFn: async (id: string) => api.deleteBenchmarkException({ params: { id } }),
    onSettled: refresh,
  });
  return (
    <Section
      title={t("posture.views.exceptions")}
      aside={
        !adding && (
          <Button size="compact-sm" variant="default" onClick={() => setAdding(true)}>
            {t("posture.addException")}
          </Button>
        )
      }
    >
      {adding && (
        <ExceptionForm
          check={check}
          done={() => {
            setAdding(false);
            refresh();
          }}
        />
      )}
      {check.exceptions.map(({ id, subject, reason, owner, expiresAt }) => (
        <div key={id} className={classes.exception}>
          <p>
            <strong>{subject === null ? t("posture.everywhere") : <Line text={subject.name} />}</strong>{" "}
            <span className="dim">
              <Line text={owner} /> · {t("posture.until")} <Exact time={expiresAt} />
            </span>
          </p>
          <p>
            <Raw text={reason} mono={false} />
          </p>
          <Button size="compact-sm" variant="default" loading={end.isPending} onClick={() => end.mutate(id)}>
            {t("posture.endException")}
          </Button>
        </div>
      ))}
      {check.exceptions.length === 0 && !adding && <p className="dim">{t("posture.noException")}</p>}
    </Section>
  );
}

function useRefresh(check: string): () => void {
  const client = useQueryClient();
  return () => {
    for (const queryKey of [["benchmark-check", check], ["benchmarks"], ["benchmark"]]) {
      void client.invalidateQueries({ queryKey });
    }
  };
}
