import { useNavigate } from "@tanstack/react-router";
import { useShortcuts } from "../ui/shortcuts.ts";

/** `g`, then the page's letter. */
export function useGoKeys(): void {
  const navigate = useNavigate();
  useShortcuts({
    "g o": () => void navigate({ to: "/" }),
    "g l": () => void navigate({ to: "/alerts", search: { state: "open" } }),
    "g f": () => void navigate({ to: "/findings", search: { state: "open" } }),
    "g a": () => void navigate({ to: "/assets/containers" }),
    "g i": () => void navigate({ to: "/assets/images" }),
    "g c": () => void navigate({ to: "/clusters" }),
    "g n": () => void navigate({ to: "/network" }),
    "g y": () => void navigate({ to: "/policies" }),
    "g p": () => void navigate({ to: "/posture" }),
    "g h": () => void navigate({ to: "/health" }),
    "g s": () => void navigate({ to: "/settings" }),
  });
}
