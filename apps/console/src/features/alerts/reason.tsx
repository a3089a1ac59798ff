import { TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** Why, in a person's words; on record with what is done. */
export function Reason({ value, change }: { value: string; change: (value: string) => void }) {
  const { t } = useTranslation();
  return (
    <TextInput
      label={t("response.reason")}
      required
      maxLength={1024}
      value={value}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
