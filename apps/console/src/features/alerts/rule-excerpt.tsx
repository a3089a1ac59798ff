import type { StoredAlert } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { Section } from "../../ui/page.tsx";
import { Exact } from "../../ui/time.tsx";
import { visible } from "../../ui/visible.ts";
import classes from "./alerts.module.css";

/** The rule that fired, as it is written; nothing for a detector, which is code. */
export function RuleExcerpt({ alert: { rule, node, time } }: { alert: StoredAlert }) {
  const { t } = useTranslation();
  const { data } = useQuery({
    queryKey: ["rule-text", rule, node],
    queryFn: async () => (await api.getRuleText({ params: { id: rule }, query: { node } })).rule,
  });
  if (!data) return null;
  return (
    <Section title={t("alerts.ruleText")} aside={<CopyButton text={data.text} />}>
      {data.changedAt !== null && data.changedAt > time && (
        <p className={classes.changed}>
          {t("alerts.ruleChanged")} <Exact time={data.changedAt} />
        </p>
      )}
      <pre className={classes.rule}>{data.text.split("\n").map(visible).join("\n")}</pre>
      <p className="dim">
        {visible(data.file)}:{data.line}
      </p>
    </Section>
  );
}
