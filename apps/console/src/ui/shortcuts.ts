import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

/** Key, or two keys one after the other (`g a`), or with the platform's modifier (`mod+k`). */
export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

const patience = 1200;
const storageKey = "bulwark.shortcuts";
const active: (() => Shortcuts)[] = [];
const settingListeners = new Set<() => void>();
let first = "";
let firstAt = 0;

/** Listens while the calling part is shown; the part that came last wins. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const current = useEffectEvent(() => shortcuts);
  useEffect(() => {
    const ask = (): Shortcuts => current();
    active.push(ask);
    return () => void active.splice(active.indexOf(ask), 1);
  }, []);
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const modified = event.metaKey || event.ctrlKey;
  if (modified) {
    if (!event.altKey && !event.shiftKey) run(`mod+${event.key.toLowerCase()}`, event);
    return;
  }
  if (event.altKey || isTyping(event.target) || isOverlaid()) return;
  if (event.key !== "Escape" && isPrintable(event.key) && !shortcutsOn()) return;

  const pair = `${first} ${event.key}`;
  const inTime = first !== "" && event.timeStamp - firstAt < patience;
  first = "";
  if (inTime && run(pair, event)) return;
  if (run(event.key, event)) return;
  if (active.some((ask) => Object.keys(ask()).some((keys) => keys.startsWith(`${event.key} `)))) {
    first = event.key;
    firstAt = event.timeStamp;
  }
}

function run(keys: string, event: KeyboardEvent): boolean {
  const found = active.findLast((ask) => keys in ask())?.()[keys];
  if (!found) return false;
  event.preventDefault();
  found(event);
  return true;
}

function isPrintable(key: string): boolean {
  return key.length === 1;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable], [role=combobox]");
}

/** A dialog or a menu has the keyboard to itself. */
function isOverlaid(): boolean {
  return document.querySelector("[role=dialog][aria-modal=true], [role=menu]") !== null;
}

addEventListener("keydown", onKey);

/** Keys of one letter can be turned off, for who speaks to the computer (WCAG 2.1.4). */
function shortcutsOn(): boolean {
  return localStorage.getItem(storageKey) !== "off";
}

export function setShortcutsOn(on: boolean): void {
  localStorage.setItem(storageKey, on ? "on" : "off");
  for (const listener of settingListeners) listener();
}

export function useShortcutsOn(): boolean {
  return useSyncExternalStore((listener) => {
    settingListeners.add(listener);
    return () => void settingListeners.delete(listener);
  }, shortcutsOn);
}

export const modKey = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
