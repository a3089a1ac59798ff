import type { ReplayedPolicies } from "@bulwark/contract";
import { useTranslation } from "react-i18next";
import { useKnown } from "../../i18n/known.ts";
import { useFormat } from "../../ui/format.ts";
import { Tag } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import { portText } from "./edge-filter.ts";
import { endName } from "./ends.ts";
import { VerdictLine } from "./marks.tsx";
import classes from "./network.module.css";

const examples = 12;
const mostWorkloads = 8;

/** What policies would have denied of what was seen: how much, to whom, with examples. */
export function ReplayEffect({ replayed }: { replayed: ReplayedPolicies }) {
  const { t } = useTranslation();
  const known = useKnown();
  const format = useFormat();
  const { edges, connections, denied, deniedEdges, deniedConnections, byWorkload, attempts, skipped, problems, lost } =
    replayed;
  const denies = deniedConnections > 0 || deniedEdges > 0;
  const notJudged = Object.entries(skipped).filter(([, count]) => count > 0);
  return (
    <>
      <div className={classes.effect} role="status" data-denies={denies}>
        <p className={classes.figure}>
          {denies
            ? t("network.wouldHave", {
                denied: format.number(deniedConnections),
                all: format.number(connections),
                count: deniedEdges,
              })
            : connections === 0
              ? t("network.wouldHaveNothing")
              : t("network.wouldHaveNone", { all: format.number(connections), edges: format.number(edges) })}
        </p>
        {attempts.allowed + attempts.denied > 0 && (
          <p className="dim">{t("network.attempts", { allowed: attempts.allowed, denied: attempts.denied })}</p>
        )}
        {notJudged.map(([reason, count]) => (
          <p key={reason} className="dim">
            {t("network.skipped", { count, reason: known.unfit(reason) })}
          </p>
        ))}
        {lost > 0 && <p className="dim">{t("network.lost", { count: lost, text: format.number(lost) })}</p>}
        {denies && <p className="dim">{t("network.onMap")}</p>}
      </div>
      {problems.map(({ severity, policy, text }) => (
        <p key={`${policy} ${text}`} className={severity === "error" ? classes.problem : classes.reason}>
          <Raw text={`${policy}: ${text}`} mono={false} />
        </p>
      ))}
      {byWorkload.length > 0 && (
        <table className={classes.ports}>
          <thead>
            <tr>
              <th scope="col">{t("cluster.workload")}</th>
              <th scope="col" data-end>
                {t("network.connections")}
              </th>
            </tr>
          </thead>
          <tbody>
            {byWorkload.slice(0, mostWorkloads).map(({ key, connections: count }) => (
              <tr key={key}>
                <td>
                  <Line text={key} />
                </td>
                <td data-end className="num">
                  {format.number(count)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {byWorkload.length > mostWorkloads && (
        <p className="dim">{t("network.moreWorkloads", { count: byWorkload.length - mostWorkloads })}</p>
      )}
      {denied.length > 0 && (
        <div className={classes.rows}>
          {denied.slice(0, examples).map((one) => (
            <div key={`${one.client.key} ${one.server.key} ${portText(one)}`} className={classes.row}>
              <VerdictLine value="would" />
              <span className={classes.two}>
                <span className={`cut ${classes.strong}`}>
                  <Line text={`${endName(one.client)} → ${endName(one.server)} ${portText(one)}`} />
                </span>
                <span className="dim">
                  <Raw text={`${t(`network.sides.${one.side}`)}: ${one.reason}`} mono={false} limit={200} />
                </span>
              </span>
              <span className={classes.rowEnd}>
                {one.deniedNow === true && <Tag>{t("network.deniedNow")}</Tag>}
                <span className="num">{format.number(one.connections)}</span>
              </span>
            </div>
          ))}
        </div>
      )}
    </>
  );
}
