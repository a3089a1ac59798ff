import type { ImageSummary } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { Tag } from "../../ui/page.tsx";

const tones = { done: "good", partial: "warn", failed: "bad" } as const;

export function ScanState({ state }: { state: ImageSummary["state"] }) {
  const { t } = useTranslation();
  return <Tag tone={tones[state]}>{t(`scanState.${state}`)}</Tag>;
}
