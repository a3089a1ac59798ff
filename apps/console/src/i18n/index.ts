import i18next from "i18next";
import { initReactI18next } from "react-i18next";

export const languages = { en: "English", zh: "简体中文" } as const;
export type Language = keyof typeof languages;

const storageKey = "bulwark.language";

/** Texts of one language; the other one is not fetched. */
const load: Record<Language, () => Promise<{ default: object }>> = {
  en: () => import("./en.json"),
  zh: () => import("./zh.json"),
};

/**
 * What alerts say themselves in English (`known.ts`). Not waited for: the first page comes before it, and is shown once
 * more with it.
 */
const loadAlerts: Partial<Record<Language, () => Promise<{ default: object }>>> = {
  zh: () => import("./alerts.zh.json"),
};

export async function startTranslations(): Promise<void> {
  const language = chosen() ?? fromBrowser();
  const { default: texts } = await load[language]();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: texts } },
    interpolation: { escapeValue: false },
    returnNull: false,
    react: { bindI18nStore: "added" },
  });
  mark(language);
  void addAlerts(language);
}

export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(storageKey, language);
  if (!i18next.hasResourceBundle(language, "translation")) {
    const { default: texts } = await load[language]();
    i18next.addResourceBundle(language, "translation", texts);
    void addAlerts(language);
  }
  await i18next.changeLanguage(language);
  mark(language);
}

async function addAlerts(language: Language): Promise<void> {
  const texts = await loadAlerts[language]?.();
  if (texts) i18next.addResourceBundle(language, "translation", texts.default, true);
}

function mark(language: Language): void {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
}

function isLanguage(value: string | null | undefined): value is Language {
  return value !== null && value !== undefined && value in languages;
}

function chosen(): Language | undefined {
  const stored = localStorage.getItem(storageKey);
  return isLanguage(stored) ? stored : undefined;
}

function fromBrowser(): Language {
  const wanted = navigator.languages.map((tag) => tag.split("-")[0]);
  return wanted.find(isLanguage) ?? "en";
}
