import type { ReactNode } from "react";
import classes from "./card.module.css";

/** A row of a table where there is no room for columns. */
export function Card({ children }: { children: ReactNode }) {
  return <span className={classes.card}>{children}</span>;
}

/** One line of a card; `end` stands at its right. */
export function CardLine({ children, end, dim = false }: { children: ReactNode; end?: ReactNode; dim?: boolean }) {
  return (
    <span className={dim ? `dim ${classes.line}` : classes.line}>
      {children}
      {end !== undefined && <span className={classes.end}>{end}</span>}
    </span>
  );
}
