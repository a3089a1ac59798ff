import type { useNavigate } from "@tanstack/react-router";
import {
  BellIcon,
  BoxIcon,
  BugIcon,
  ClusterIcon,
  GateIcon,
  LayersIcon,
  NetworkIcon,
  OverviewIcon,
  PulseIcon,
  SettingsIcon,
  ShieldIcon,
} from "../ui/icons.tsx";

type Navigate = ReturnType<typeof useNavigate>;

/** The pages, where the keyboard goes: by the palette, or by `g` and the page's letter. */
export const pages = [
  { letter: "o", text: "nav.overview", icon: OverviewIcon, go: (to: Navigate) => to({ to: "/" }) },
  {
    letter: "l",
    text: "nav.alerts",
    icon: BellIcon,
    go: (to: Navigate) => to({ to: "/alerts", search: { state: "open" } }),
  },
  {
    letter: "f",
    text: "nav.findings",
    icon: BugIcon,
    go: (to: Navigate) => to({ to: "/findings", search: { state: "open" } }),
  },
  { letter: "a", text: "assets.containers", icon: BoxIcon, go: (to: Navigate) => to({ to: "/assets/containers" }) },
  { letter: "i", text: "assets.images", icon: LayersIcon, go: (to: Navigate) => to({ to: "/assets/images" }) },
  { letter: "c", text: "nav.clusters", icon: ClusterIcon, go: (to: Navigate) => to({ to: "/clusters" }) },
  { letter: "n", text: "nav.network", icon: NetworkIcon, go: (to: Navigate) => to({ to: "/network" }) },
  { letter: "y", text: "nav.policies", icon: GateIcon, go: (to: Navigate) => to({ to: "/policies" }) },
  { letter: "p", text: "nav.posture", icon: ShieldIcon, go: (to: Navigate) => to({ to: "/posture" }) },
  { letter: "h", text: "nav.health", icon: PulseIcon, go: (to: Navigate) => to({ to: "/health" }) },
  { letter: "s", text: "nav.settings", icon: SettingsIcon, go: (to: Navigate) => to({ to: "/settings" }) },
] as const;
