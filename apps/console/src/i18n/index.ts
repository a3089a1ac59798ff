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

export async function startTranslations(): Promise<void> {
  const language = chosen() ?? fromBrowser();
  const { default: texts } = await load[language]();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: texts } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  mark(language);
}

export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(storageKey, language);
  if (!i18next.hasResourceBundle(language, "translation")) {
    const { default: texts } = await load[language]();
    i18next.addResourceBundle(language, "translation", texts);
  }
  await i18next.changeLanguage(language);
  mark(language);
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
