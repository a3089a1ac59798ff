import type { Ancestor, Process } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { Tag } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import { deedsOf, keyOf } from "./process-deeds.ts";
import { fetchEvents } from "./timeline.tsx";
import classes from "./process-tree.module.css";

interface Props {
  process: Process;
  /** Nearest first. */
  ancestors: Ancestor[];
  /** Whose events tell what they touched, and when it happened. */
  container: string | undefined;
  time: number;
}

/** Of what a process touched this many are shown. */
const shown = 6;

const deepest = 10;

/** Who started whom, down to the process of the alert and whom that started, with what each of them touched. */
export function ProcessTree({ process, ancestors, container, time }: Props) {
  const { t } = useTranslation();
  const { data } = useQuery({
    queryKey: ["events-of", container, time],
    queryFn: async () => fetchEvents(container ?? "", time),
    enabled: container !== undefined,
  });
  const { touched, descendants } = useMemo(() => deedsOf(data ?? []), [data]);
  const chain = ancestors.toReversed();
  return (
    <ol className={classes.tree}>
      {chain.map((ancestor, depth) => (
        <li key={`${ancestor.pid}/${ancestor.startTime}`} style={indent(depth)} className={classes.entry}>
          <Head {...ancestor} />
          <Arguments words={ancestor.arguments} cut={false} />
          <Touched things={touched.get(keyOf(ancestor))} />
        </li>
      ))}
      <li style={indent(chain.length)} className={`${classes.entry} ${classes.subject}`}>
        <Head {...process} />
        <Arguments words={process.arguments} cut={process.argumentsCut} />
        <div className={classes.facts}>
          {process.uid !== process.effectiveUid && (
            <Tag tone="warn">{t("process.effective", { uid: process.effectiveUid })}</Tag>
          )}
          {process.origin !== "unknown" && (
            <Tag tone={process.origin === "image" ? "plain" : "warn"}>{t(`origin.${process.origin}`)}</Tag>
          )}
          <span className="dim">
            {t("process.directory")} <Line mono text={process.workingDirectory} />
          </span>
        </div>
        <Touched things={touched.get(keyOf(process))} />
      </li>
      {descendants(keyOf(process)).map(({ process: child, depth }) => (
        <li key={keyOf(child)} style={indent(chain.length + depth)} className={classes.entry}>
          <Head {...child} />
          <Arguments words={child.arguments} cut={child.argumentsCut} />
          <Touched things={touched.get(keyOf(child))} />
        </li>
      ))}
    </ol>
  );
}

function indent(depth: number): React.CSSProperties {
  return { "--depth": Math.min(depth, deepest) } as React.CSSProperties;
}

function Head({ executable, name, pid, uid }: Pick<Ancestor, "executable" | "name" | "pid" | "uid">) {
  const { t } = useTranslation();
  return (
    <div className={classes.head}>
      <span className={classes.executable}>
        <Line mono text={executable === "" ? name : executable} />
      </span>
      <span className={classes.ids}>
        {t("process.pid")} {pid} · {uid === 0 ? "root" : `${t("process.uid")} ${uid}`}
      </span>
    </div>
  );
}

/** Files, connections, calls: what its events tell around the time of the alert. */
function Touched({ things }: { things: readonly string[] | undefined }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (!things) return null;
  const more = things.length - shown;
  return (
    <ul className={classes.touched} aria-label={t("process.touched")}>
      {things.slice(0, shown).map((text) => (
        <li key={text}>
          <Raw text={text} limit={160} />
        </li>
      ))}
      {more > 0 && <li className="dim">{t("process.more", { count: more, text: format.number(more) })}</li>}
    </ul>
  );
}

/** The words as the kernel has them; one with a space in it is quoted, so that its ends can be seen. */
function Arguments({ words, cut }: { words: string[]; cut: boolean }) {
  const text = words.map((word) => (word === "" || /\s/.test(word) ? `'${word}'` : word)).join(" ");
  if (text === "") return null;
  return (
    <div className={classes.arguments}>
      <Raw text={cut ? `${text} …` : text} limit={400} />
    </div>
  );
}
