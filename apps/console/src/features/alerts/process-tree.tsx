import type { Ancestor, Process } from "@bulwark/model";
import { useTranslation } from "react-i18next";
import { Tag } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import classes from "./process-tree.module.css";

interface Props {
  process: Process;
  /** Nearest first. */
  ancestors: Ancestor[];
}

const deepest = 10;

/** Who started whom, down to the process of the alert. */
export function ProcessTree({ process, ancestors }: Props) {
  const { t } = useTranslation();
  const chain = ancestors.toReversed();
  return (
    <ol className={classes.tree}>
      {chain.map((ancestor, depth) => (
        <li key={`${ancestor.pid}/${ancestor.startTime}`} style={indent(depth)} className={classes.entry}>
          <Head {...ancestor} />
          <Arguments words={ancestor.arguments} cut={false} />
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
      </li>
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
