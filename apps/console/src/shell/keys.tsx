import { Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { modKey } from "../ui/shortcuts.ts";
import classes from "./keys.module.css";
import { pages } from "./pages.ts";

/** Which keys do what. */
export function Keys({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const groups = [
    {
      title: t("keys.everywhere"),
      keys: [
        [`${modKey} K`, t("keys.palette")],
        ["/", t("keys.search")],
        ["?", t("keys.help")],
        ["Esc", t("keys.close")],
      ],
    },
    {
      title: t("keys.lists"),
      keys: [
        ["j / ↓", t("keys.next")],
        ["k / ↑", t("keys.previous")],
        ["Enter", t("keys.open")],
        ["o", t("keys.inside")],
        ["a", t("keys.acknowledge")],
      ],
    },
    {
      title: t("keys.go"),
      keys: pages.map(({ letter, text }) => [`g ${letter}`, t(text)]),
    },
  ];
  return (
    <Modal
      opened
      onClose={close}
      title={t("keys.title")}
      size="lg"
      closeButtonProps={{ "aria-label": t("detail.close") }}
    >
      <div className={classes.groups}>
        {groups.map((group) => (
          <section key={group.title}>
            <h3 className={classes.title}>{group.title}</h3>
            <dl className={classes.list}>
              {group.keys.map(([key, what]) => (
                <div key={key} className={classes.line}>
                  <dt>{what}</dt>
                  <dd>
                    {(key ?? "").split(" ").map((part) =>
                      part === "/" && key !== "/" ? (
                        <span key={part}> / </span>
                      ) : (
                        <kbd key={part} className={classes.key}>
                          {part}
                        </kbd>
                      ),
                    )}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
