import { Menu, TextInput } from "@mantine/core";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "./filters.module.css";
import { ChevronDownIcon, CloseIcon, SearchIcon } from "./icons.tsx";
import { useShortcuts } from "./shortcuts.ts";

export function FilterBar({ children, onClear }: { children: ReactNode; onClear: (() => void) | undefined }) {
  const { t } = useTranslation();
  return (
    <div className={classes.bar} role="search" aria-label={t("filter.label")}>
      {children}
      {onClear && (
        <button type="button" className={classes.clear} onClick={onClear}>
          {t("filter.clear")}
        </button>
      )}
    </div>
  );
}

interface Choice<T extends string> {
  value: T;
  label: string;
  mark?: ReactNode;
}

interface ManyProps<T extends string> {
  label: string;
  options: Choice<T>[];
  value: T[];
  onChange: (value: T[]) => void;
}

/** Several of a few. */
export function FilterMany<T extends string>({ label, options, value, onChange }: ManyProps<T>) {
  const chosen = options.filter((option) => value.includes(option.value)).map((option) => option.label);
  return (
    <Menu closeOnItemClick={false} position="bottom-start">
      <Menu.Target>
        <FilterButton label={label} chosen={chosen.join(", ")} />
      </Menu.Target>
      <Menu.Dropdown>
        {options.map((option) => (
          <Menu.CheckboxItem
            key={option.value}
            checked={value.includes(option.value)}
            onChange={(checked) =>
              onChange(checked ? [...value, option.value] : value.filter((item) => item !== option.value))
            }
            rightSection={option.mark}
          >
            {option.label}
          </Menu.CheckboxItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

interface OneProps<T extends string> {
  label: string;
  options: Choice<T>[];
  value: T | undefined;
  /** The word for no choice. */
  any: string;
  onChange: (value: T | undefined) => void;
}

/** One of a few, or none. */
export function FilterOne<T extends string>({ label, options, value, any, onChange }: OneProps<T>) {
  const chosen = options.find((option) => option.value === value)?.label ?? "";
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <FilterButton label={label} chosen={chosen} />
      </Menu.Target>
      <Menu.Dropdown className={classes.many}>
        <Menu.RadioGroup
          value={value ?? ""}
          onChange={(next) => onChange(options.find((option) => option.value === next)?.value)}
        >
          <Menu.RadioItem value="">{any}</Menu.RadioItem>
          {options.map((option) => (
            <Menu.RadioItem key={option.value} value={option.value}>
              {option.label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}

function FilterButton({ label, chosen, ...props }: { label: string; chosen: string } & object) {
  return (
    <button type="button" {...props} className={classes.choice} data-set={chosen !== ""}>
      <span className={classes.name}>{label}</span>
      {chosen !== "" && <span className={classes.chosen}>{chosen}</span>}
      <ChevronDownIcon size={13} />
    </button>
  );
}

/** On or off. */
export function FilterFlag({
  label,
  value,
  onChange,
}: {
  label: string;
  value: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <button
      type="button"
      className={classes.choice}
      data-set={value}
      aria-pressed={value}
      onClick={() => onChange(!value)}
    >
      <span className={value ? classes.chosen : classes.name}>{label}</span>
    </button>
  );
}

/** A filter that came with a link and can only be taken away. */
export function FilterGiven({ label, text, onRemove }: { label: string; text: string; onRemove: () => void }) {
  const { t } = useTranslation();
  return (
    <span className={classes.choice} data-set>
      <span className={classes.name}>{label}</span>
      <span className={`${classes.chosen} cut`} title={text}>
        {text}
      </span>
      <button
        type="button"
        className={classes.remove}
        aria-label={t("filter.remove", { name: label })}
        onClick={onRemove}
      >
        <CloseIcon size={12} />
      </button>
    </span>
  );
}

const pause = 200;

interface SearchProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** Text to look for. "/" goes there, Escape leaves. */
export function FilterText({ label, value, onChange }: SearchProps) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(value ?? "");
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const sent = useRef(value);
  useShortcuts({ "/": () => input.current?.focus() });

  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    // The address changed by other means: a link, the way back, "clear".
    if (value === sent.current) return;
    sent.current = value;
    setDraft(value ?? "");
  }, [value]);

  const type = (next: string): void => {
    setDraft(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const wanted = next.trim() === "" ? undefined : next.trim();
      sent.current = wanted;
      onChange(wanted);
    }, pause);
  };

  return (
    <TextInput
      ref={input}
      type="search"
      className={classes.search ?? ""}
      aria-label={label}
      placeholder={label}
      title={t("filter.searchHint")}
      value={draft}
      maxLength={256}
      leftSection={<SearchIcon size={14} />}
      onChange={(event) => type(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        event.currentTarget.blur();
      }}
    />
  );
}
