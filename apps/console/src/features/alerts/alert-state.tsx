import type { AlertState } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { Tag } from "../../ui/page.tsx";

const tones = { open: "warn", acknowledged: "info", closed: "plain" } as const;

export function AlertStateTag({ state }: { state: AlertState }) {
  const { t } = useTranslation();
  return <Tag tone={tones[state]}>{t(`alertState.${state}`)}</Tag>;
}
