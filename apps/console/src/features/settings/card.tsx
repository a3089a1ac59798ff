import type { ReactNode } from "react";
import classes from "./settings.module.css";

interface CardProps {
  title: string;
  text?: string;
  children: ReactNode;
}

export function Card({ title, text, children }: CardProps) {
  return (
    <section className={classes.card}>
      <header>
        <h2 className={classes.title}>{title}</h2>
        {text && <p className="dim">{text}</p>}
      </header>
      <div className={classes.content}>{children}</div>
    </section>
  );
}
