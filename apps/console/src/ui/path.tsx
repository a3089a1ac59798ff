import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { ChevronRightIcon } from "./icons.tsx";
import classes from "./path.module.css";

/** Where one is inside: links to what is around it, and itself, each with a key. */
export function Path({ steps }: { steps: readonly ReactElement[] }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t("cluster.path")}>
      <ol className={classes.path}>
        {steps.map((step, index) => (
          <li key={step.key} aria-current={index === steps.length - 1 ? "page" : undefined}>
            {index > 0 && <ChevronRightIcon size={12} />}
            {step}
          </li>
        ))}
      </ol>
    </nav>
  );
}
