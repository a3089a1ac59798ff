import type { PolicyRow } from "@bulwark/contract";
import { Modal } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../api/client.ts";
import { policiesQuery } from "../features/policies/policies-query.ts";
import { useKnown } from "../i18n/known.ts";
import { useFormat, useNow } from "../ui/format.ts";
import { BoxIcon, GateIcon, LayersIcon, SearchIcon } from "../ui/icons.tsx";
import { Line } from "../ui/raw.tsx";
import { SeverityGlyph } from "../ui/severity.tsx";
import { pages } from "./pages.ts";
import classes from "./palette.module.css";

interface Choice {
  id: string;
  group: string;
  icon: ReactNode;
  text: string;
  note?: string;
  go: () => void;
}

const pause = 150;
const perGroup = 5;

/** Goes to a page, a container, an image, an alert, a finding or a policy by its name. */
export function Palette({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const choices = useChoices(text.trim());
  const active = Math.min(at, choices.length - 1);

  useEffect(() => {
    document.querySelector(`#${CSS.escape(`${listId}-${active}`)}`)?.scrollIntoView({ block: "nearest" });
  }, [listId, active]);

  const pick = (choice: Choice | undefined): void => {
    if (!choice) return;
    close();
    choice.go();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt((active + step + choices.length) % Math.max(choices.length, 1));
    else if (event.key === "Enter") pick(choices[active]);
    else return;
    event.preventDefault();
  };

  return (
    <Modal.Root opened onClose={close} size={560} padding={0} yOffset="12vh">
      <Modal.Overlay backgroundOpacity={0.35} />
      <Modal.Content aria-label={t("nav.search")} radius="md">
        <div className={classes.input}>
          <SearchIcon size={16} />
          <input
            data-autofocus
            role="combobox"
            aria-label={t("palette.placeholder")}
            aria-expanded="true"
            aria-controls={listId}
            aria-activedescendant={choices[active] ? `${listId}-${active}` : undefined}
            aria-autocomplete="list"
            placeholder={t("palette.placeholder")}
            value={text}
            maxLength={256}
            onChange={(event) => {
              setText(event.currentTarget.value);
              setAt(0);
            }}
            onKeyDown={onKeyDown}
          />
        </div>
        <div className={classes.list} id={listId} role="listbox" aria-label={t("palette.results")}>
          {choices.map((choice, index) => (
            <div key={choice.id} role="presentation">
              {choice.group !== choices[index - 1]?.group && (
                <div className={classes.group} role="presentation">
                  {choice.group}
                </div>
              )}
              {/* The keyboard is at the input, as the pattern of a combobox has it. */}
              {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events */}
              <div
                id={`${listId}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={index === active}
                className={classes.choice}
                onClick={() => pick(choice)}
                onMouseMove={() => setAt(index)}
              >
                {choice.icon}
                <span className={`cut ${classes.text}`}>
                  <Line text={choice.text} />
                </span>
                {choice.note && <span className={`cut ${classes.note}`}>{choice.note}</span>}
              </div>
            </div>
          ))}
          {choices.length === 0 && <p className={classes.none}>{t("palette.none")}</p>}
        </div>
      </Modal.Content>
    </Modal.Root>
  );
}

function useChoices(text: string): Choice[] {
  const pages = usePages();
  const found = useFound(useLater(text));
  const words = text.toLowerCase();
  const fitting = pages.filter((page) => page.text.toLowerCase().includes(words));
  return text === "" ? pages : [...fitting, ...found];
}

function usePages(): Choice[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return pages.map(({ letter, text, icon: Icon, go }) => ({
    ...{ id: `page ${letter}`, group: t("palette.pages"), icon: <Icon />, text: t(text), note: `g ${letter}` },
    go: () => void go(navigate),
  }));
}

/** All policies are known at once, some time after the rest. */
function usePolicies(q: string): PolicyRow[] {
  const { data } = useQuery({ ...policiesQuery, enabled: q.length > 1, refetchInterval: false });
  const words = q.toLowerCase();
  const named = data?.items.filter(({ name, title }) => `${name} ${title}`.toLowerCase().includes(words));
  return named?.slice(0, perGroup) ?? [];
}

function useFound(q: string): Choice[] {
  const { t } = useTranslation();
  const known = useKnown();
  const format = useFormat();
  const now = useNow();
  const navigate = useNavigate();
  const { data } = useQuery({
    queryKey: ["palette", q],
    enabled: q.length > 1,
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const query = { q, limit: perGroup };
      const [alerts, containers, images, findings] = await Promise.all([
        api.listAlerts({ query }),
        api.listContainers({ query }),
        api.listImages({ query }),
        api.listFindings({ query }),
      ]);
      return { alerts: alerts.items, containers: containers.items, images: images.items, findings: findings.items };
    },
  });
  const policies = usePolicies(q);
  if (!data || q.length < 2) return [];
  return [
    ...data.containers.map((item) => ({
      id: `container ${item.node} ${item.id}`,
      group: t("assets.containers"),
      icon: <BoxIcon />,
      text: item.name,
      note: item.image.name,
      go: () => void navigate({ to: "/assets/containers", search: { id: item.id, q } }),
    })),
    ...data.alerts.map((item) => ({
      id: `alert ${item.id}`,
      group: t("nav.alerts"),
      icon: <SeverityGlyph value={item.severity} />,
      text: known.rule(item.rule, "title", item.title),
      note: `${item.container?.name ?? item.node} · ${format.relative(item.time, now)}`,
      go: () => void navigate({ to: "/alerts", search: { id: item.id, q } }),
    })),
    ...data.images.map((item) => ({
      id: `image ${item.key}`,
      group: t("assets.images"),
      icon: <LayersIcon />,
      text: item.name,
      note: item.os ?? "",
      go: () => void navigate({ to: "/assets/images", search: { id: item.key, q } }),
    })),
    ...data.findings.map((item) => ({
      id: `finding ${item.fingerprint}`,
      group: t("nav.findings"),
      icon: <SeverityGlyph value={item.severity} />,
      text: item.title,
      note: item.asset.name,
      go: () => void navigate({ to: "/findings", search: { id: item.fingerprint, q } }),
    })),
    ...policies.map((item) => ({
      id: `policy ${item.name}`,
      group: t("nav.policies"),
      icon: <GateIcon />,
      text: item.title,
      note: item.name,
      go: () => void navigate({ to: "/policies", search: { id: item.name } }),
    })),
  ];
}

/** The value once it has rested. */
function useLater(value: string): string {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), pause);
    return () => clearTimeout(timer);
  }, [value]);
  return later;
}
