import { useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./raw.module.css";
import { pieces, visible } from "./visible.ts";

const longest = 600;

/** Text from outside, whole: what cannot be seen is made visible, what is long opens on demand. */
export function Raw({ text, mono = true, limit = longest }: { text: string; mono?: boolean; limit?: number }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const long = text.length > limit;
  return (
    <span className={mono ? `mono ${classes.raw}` : classes.raw}>
      <Pieces text={long && !open ? text.slice(0, limit) : text} />
      {long && (
        <button type="button" className={classes.more} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t("raw.less") : t("raw.more", { count: text.length - limit })}
        </button>
      )}
    </span>
  );
}

/** Text from outside on one line; what does not fit is in the title. */
export function Line({ text, mono = false }: { text: string; mono?: boolean }) {
  const shown = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return (
    <span className={mono ? "cut mono" : "cut"} title={visible(shown)}>
      <Pieces text={shown} />
    </span>
  );
}

function Pieces({ text }: { text: string }) {
  return pieces(text).map((piece, index) =>
    piece.hidden ? (
      // The same text always gives the same pieces.
      // oxlint-disable-next-line react/no-array-index-key
      <span key={index} className={classes.hidden}>
        {piece.text}
      </span>
    ) : (
      piece.text
    ),
  );
}
