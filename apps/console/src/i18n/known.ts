import { useTranslation } from "react-i18next";
import { phrase, type Phrases } from "./phrases.ts";

/** Texts for words that come from outside: their translation where there is one, else what came. */
export interface Known {
  /** `fallback`: what the alert says itself, in English. */
  rule: (id: string, part: "title" | "description" | "remedy", fallback: string) => string;
  evidence: (key: string) => string;
  evidenceValue: (key: string, value: string) => string;
  technique: (id: string) => string;
  counter: (name: string) => string;
  component: (id: string) => string;
  kubeFact: (key: string) => string;
  /** Why policies can say nothing of a connection. */
  unfit: (reason: string) => string;
}

export function useKnown(): Known {
  const { t, i18n } = useTranslation();
  const loose = t as unknown as (key: string) => string;
  const find = (key: string, fallback: string): string => (i18n.exists(key) ? loose(key) : fallback);
  const word = (text: string): string => text.replaceAll(/[.:]/g, "_");
  const phrases = (i18n.getResource(i18n.language, "translation", "phrases") ?? {}) as Phrases;
  return {
    rule: (id, part, fallback) => {
      const text = find(`rules.${word(id)}.${part}`, fallback);
      // The description of one that counts tells its figures, which no fixed text does.
      return part === "description" && text !== fallback && Object.hasOwn(phrases, id)
        ? `${text}${phrase(phrases, id, fallback)}`
        : text;
    },
    evidence: (key) => find(`evidence.${word(key)}`, key),
    evidenceValue: (key, value) => find(`evidenceValues.${word(key)}.${word(value)}`, phrase(phrases, key, value)),
    technique: (id) => find(`techniques.${word(id)}`, ""),
    counter: (name) => find(`counters.${word(name)}`, name),
    kubeFact: (key) => find(`kubeFacts.${word(key)}`, key),
    unfit: (reason) => find(`unfit.${word(reason)}`, reason),
    component: (id) => find(`components.${word(id)}`, id),
  };
}
