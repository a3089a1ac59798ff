import type { ReactNode } from "react";
import classes from "./tabs.module.css";

/** Views of one page, beside its title: links, each with `tab`. */
export function Tabs({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav className={classes.tabs} aria-label={label}>
      {children}
    </nav>
  );
}

/** What makes a link a tab. `more`: a class that it has besides. */
export function tab(isActive: boolean, more?: string) {
  return {
    className: more === undefined ? classes.tab : `${classes.tab} ${more}`,
    ...(isActive ? { "data-active": true, "aria-current": "page" as const } : {}),
  };
}
