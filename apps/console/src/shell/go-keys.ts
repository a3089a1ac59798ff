import { useNavigate } from "@tanstack/react-router";
import { useShortcuts } from "../ui/shortcuts.ts";
import { pages } from "./pages.ts";

/** `g`, then the page's letter. */
export function useGoKeys(): void {
  const navigate = useNavigate();
  useShortcuts(Object.fromEntries(pages.map(({ letter, go }) => [`g ${letter}`, () => void go(navigate)])));
}
