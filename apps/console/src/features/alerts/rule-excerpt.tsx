import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { Section } from "../../ui/page.tsx";
import classes from "./alerts.module.css";

/** The rule that fired, as it is written; nothing for a detector, which is code. */
export function RuleExcerpt({ rule }: { rule: string }) {
  const { t } = useTranslation();
  const { data } = useQuery({
    queryKey: ["rule-text", rule],
    queryFn: async () => (await api.getRuleText({ params: { id: rule } })).rule,
    staleTime: Infinity,
  });
  if (!data) return null;
  return (
    <Section title={t("alerts.ruleText")} aside={<CopyButton text={data.text} />}>
      <pre className={classes.rule}>{data.text}</pre>
      <p className="dim">
        {data.file}:{data.line}
      </p>
    </Section>
  );
}
