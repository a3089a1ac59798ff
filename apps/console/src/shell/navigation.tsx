import { Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, type LinkProps } from "@tanstack/react-router";
import type { ComponentType, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../api/client.ts";
import { useStreamState } from "../api/stream.ts";
import { overviewQuery } from "../features/overview/overview-query.ts";
import { end, sessionQuery } from "../features/session/session.ts";
import { useFormat } from "../ui/format.ts";
import {
  AlertIcon,
  BellIcon,
  BoxIcon,
  BugIcon,
  ClusterIcon,
  GateIcon,
  KeyboardIcon,
  LogoutIcon,
  NetworkIcon,
  OverviewIcon,
  PulseIcon,
  SearchIcon,
  SettingsIcon,
  ShieldIcon,
  UserIcon,
} from "../ui/icons.tsx";
import { Logo } from "../ui/logo.tsx";
import { modKey } from "../ui/shortcuts.ts";
import classes from "./navigation.module.css";

interface Props {
  openPalette: () => void;
  openKeys: () => void;
}

export function Navigation({ openPalette, openKeys }: Props) {
  const { t } = useTranslation();
  return (
    <nav className={classes.sidebar} aria-label={t("nav.label")}>
      <div className={classes.brand}>
        <Link to="/" className={classes.logo}>
          <Logo />
          <span>{t("app.name")}</span>
        </Link>
        <UserMenu openKeys={openKeys} />
      </div>
      <button type="button" className={classes.search} onClick={openPalette}>
        <SearchIcon size={14} />
        <span>{t("nav.search")}</span>
        <kbd>{modKey} K</kbd>
      </button>
      <Pages />
      <div className={classes.foot}>
        <StreamSign />
      </div>
    </nav>
  );
}

function Pages() {
  const { t } = useTranslation();
  const format = useFormat();
  const overview = useQuery(overviewQuery).data;
  const urgent = overview ? overview.openAlerts.critical + overview.openAlerts.high : 0;
  const broken = overview?.troubles.filter(({ state }) => state !== "off").length ?? 0;
  return (
    <div className={classes.nav}>
      <Item to="/" icon={OverviewIcon} text={t("nav.overview")} exact />
      <Item
        to="/alerts"
        search={{ state: "open" }}
        icon={BellIcon}
        text={t("nav.alerts")}
        badge={urgent > 0 && <Badge text={format.number(urgent)} label={t("nav.urgent", { count: urgent })} />}
      />
      <Item to="/findings" search={{ state: "open" }} icon={BugIcon} text={t("nav.findings")} />
      <Item to="/assets" icon={BoxIcon} text={t("nav.assets")} />
      <Item to="/clusters" icon={ClusterIcon} text={t("nav.clusters")} />
      <Item to="/network" icon={NetworkIcon} text={t("nav.network")} />
      <Item to="/policies" icon={GateIcon} text={t("nav.policies")} />
      <Item to="/posture" icon={ShieldIcon} text={t("nav.posture")} />
      <Item
        to="/health"
        icon={PulseIcon}
        text={t("nav.health")}
        badge={
          broken > 0 && (
            <span className={classes.warning} title={t("nav.broken", { count: broken })}>
              <AlertIcon size={14} />
              <span className="hidden-text">{t("nav.broken", { count: broken })}</span>
            </span>
          )
        }
      />
      <Item to="/settings" icon={SettingsIcon} text={t("nav.settings")} />
    </div>
  );
}

interface ItemProps {
  to: LinkProps["to"];
  search?: { state: "open" };
  icon: ComponentType<{ size?: number }>;
  text: string;
  badge?: ReactNode;
  exact?: boolean;
}

function Item({ to, search, icon: Icon, text, badge, exact = false }: ItemProps) {
  return (
    <Link
      to={to ?? "/"}
      search={search ?? {}}
      className={classes.item}
      activeOptions={{ exact, includeSearch: false }}
      activeProps={{ "data-active": true }}
    >
      <Icon size={16} />
      <span className={classes.itemText}>{text}</span>
      {badge}
    </Link>
  );
}

function Badge({ text, label }: { text: string; label: string }) {
  return (
    <span className={classes.badge} title={label}>
      <span aria-hidden="true">{text}</span>
      <span className="hidden-text">{label}</span>
    </span>
  );
}

function StreamSign() {
  const { t } = useTranslation();
  const state = useStreamState();
  return (
    <span className={classes.stream} data-state={state}>
      <span className={classes.dot} />
      {t(`stream.${state}`)}
    </span>
  );
}

function UserMenu({ openKeys }: { openKeys: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { data: session } = useQuery(sessionQuery);
  const leave = async (): Promise<void> => {
    await api.logout().catch(() => undefined);
    end();
    await navigate({ to: "/login" });
  };
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <button type="button" className={classes.user} aria-label={t("nav.account")}>
          <UserIcon size={15} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{session?.user.name}</Menu.Label>
        <Menu.Item leftSection={<SettingsIcon size={14} />} onClick={() => void navigate({ to: "/settings" })}>
          {t("nav.settings")}
        </Menu.Item>
        <Menu.Item leftSection={<KeyboardIcon size={14} />} onClick={openKeys}>
          {t("keys.title")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<LogoutIcon size={14} />} onClick={() => void leave()}>
          {t("nav.logout")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
