import type { ImageVerdict } from "@bulwark/contract";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { GateIcon } from "../../ui/icons.tsx";
import { Tag } from "../../ui/page.tsx";
import { Line, Raw } from "../../ui/raw.tsx";
import { Empty, Failed, Lines } from "../../ui/states.tsx";
import classes from "./assets.module.css";

/** What the image policies in force say of an image. Asked only when somebody looks: a registry may have to answer. */
export function ImagePolicies({ id }: { id: string }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["image", id, "policies"],
    queryFn: async () => api.judgeImage({ params: { id } }),
  });
  if (error) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return <Lines count={3} />;
  if (data.items.length === 0) {
    return (
      <Empty icon={<GateIcon size={20} />} title={t("image.noPolicies")} text={t("image.noPoliciesText")}>
        <Link to="/policies">{t("image.toPolicies")}</Link>
      </Empty>
    );
  }
  return (
    <ul className={classes.rows}>
      {data.items.map((item) => (
        <Row key={item.policy} item={item} />
      ))}
    </ul>
  );
}

const tones = {
  denied: "bad",
  warned: "warn",
  observed: "info",
  unknown: "warn",
  allowed: "good",
  "not-applicable": "plain",
} as const satisfies Record<ImageVerdict["verdict"], string>;

function Row({ item: { policy, title, verdict, messages } }: { item: ImageVerdict }) {
  const { t } = useTranslation();
  return (
    <li className={classes.policy}>
      <div className={classes.cardLine}>
        <Link to="/policies" search={{ id: policy }} className={classes.name}>
          <Line text={title} />
        </Link>
        <span className={classes.end}>
          <Tag tone={tones[verdict]}>{t(`image.verdicts.${verdict}`)}</Tag>
        </span>
      </div>
      {[...new Set(messages)].map((message) => (
        <p key={message} className="dim">
          <Raw text={message} mono={false} />
        </p>
      ))}
    </li>
  );
}
