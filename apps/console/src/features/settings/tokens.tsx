import { ActionIcon, Button, Modal } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Answer } from "../../api/client.ts";
import { useFormat, useNow } from "../../ui/format.ts";
import { PlusIcon, TrashIcon } from "../../ui/icons.tsx";
import { Tag } from "../../ui/page.tsx";
import { Line } from "../../ui/raw.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Ago } from "../../ui/time.tsx";
import { Card } from "./card.tsx";
import { NewToken } from "./new-token.tsx";
import classes from "./settings.module.css";

type Token = Answer<"listTokens">["items"][number];

const tokensKey = ["tokens"];

/** API tokens: what programs log in with. */
export function Tokens() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token>();
  const { data, error, refetch } = useQuery({ queryKey: tokensKey, queryFn: async () => api.listTokens() });
  const reload = (): void => void client.invalidateQueries({ queryKey: tokensKey });
  return (
    <Card title={t("tokens.title")} text={t("tokens.text")}>
      {error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : data ? (
        <List tokens={data.items} revoke={setRevoking} />
      ) : (
        <Lines count={2} />
      )}
      <div>
        <Button variant="default" leftSection={<PlusIcon size={14} />} onClick={() => setMaking(true)}>
          {t("tokens.make")}
        </Button>
      </div>
      {making && <NewToken close={() => setMaking(false)} made={reload} />}
      {revoking && <Revoke token={revoking} close={() => setRevoking(undefined)} revoked={reload} />}
    </Card>
  );
}

function List({ tokens, revoke }: { tokens: Token[]; revoke: (token: Token) => void }) {
  const { t } = useTranslation();
  if (tokens.length === 0) return <p className="dim">{t("tokens.none")}</p>;
  return (
    <ul className={classes.tokens}>
      {tokens.map((token) => (
        <li key={token.id} className={classes.token}>
          <span className={classes.tokenName}>
            <Line text={token.name} />
          </span>
          <Tag tone={token.scope === "write" ? "warn" : "plain"}>{t(`tokens.scopes.${token.scope}`)}</Tag>
          <span className={`dim ${classes.tokenTimes}`}>
            <Expiry token={token} /> ·{" "}
            {token.lastUsedAt === null ? (
              t("tokens.unused")
            ) : (
              <>
                {t("tokens.used")} <Ago time={token.lastUsedAt} />
              </>
            )}
          </span>
          <ActionIcon aria-label={t("tokens.revokeNamed", { name: token.name })} onClick={() => revoke(token)}>
            <TrashIcon size={15} />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}

function Expiry({ token }: { token: Token }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  const day = format.day(token.expiresAt);
  return token.expiresAt < now ? t("tokens.expired", { day }) : t("tokens.expires", { day });
}

function Revoke({ token, close, revoked }: { token: Token; close: () => void; revoked: () => void }) {
  const { t } = useTranslation();
  const revoke = useMutation({
    mutationFn: async () => api.deleteToken({ params: { id: token.id } }),
    onSuccess: () => {
      revoked();
      close();
    },
  });
  return (
    <Modal
      opened
      onClose={close}
      title={t("tokens.revokeTitle")}
      size="sm"
      closeButtonProps={{ "aria-label": t("detail.close") }}
    >
      <p>{t("tokens.revokeText", { name: token.name })}</p>
      {revoke.isError && <Failed error={revoke.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={close}>
          {t("tokens.keep")}
        </Button>
        <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
          {t("tokens.revoke")}
        </Button>
      </div>
    </Modal>
  );
}
