import { Link, type LinkProps } from "@tanstack/react-router";
import { useId, type ReactNode } from "react";
import { ChevronRightIcon } from "../../ui/icons.tsx";
import classes from "./overview.module.css";

interface Props {
  title: string;
  /** Place in the grid of the page. */
  area: string;
  more?: { to: LinkProps["to"]; text: string };
  children: ReactNode;
}

export function Panel({ title, area, more, children }: Props) {
  const id = useId();
  return (
    <section className={classes.panel} style={{ gridArea: area }} aria-labelledby={id}>
      <header className={classes.panelHead}>
        <h2 id={id} className={classes.panelTitle}>
          {title}
        </h2>
        {more && (
          <Link to={more.to ?? "/"} className={classes.more}>
            {more.text}
            <ChevronRightIcon size={13} />
          </Link>
        )}
      </header>
      {children}
    </section>
  );
}
