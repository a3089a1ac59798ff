import type { ImageSummary } from "@bulwark/model";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Line } from "../../ui/raw.tsx";
import { SeverityBar } from "../../ui/severity.tsx";
import classes from "./overview.module.css";

export function WorstImages({ images, blind }: { images: ImageSummary[]; blind: boolean }) {
  const { t } = useTranslation();
  if (images.length === 0)
    return <p className={classes.nothing}>{blind ? t("findings.noDatabase") : t("overview.noImages")}</p>;
  return (
    <ul>
      {images.map((image) => (
        <li key={image.key}>
          <Link to="/assets/images" search={{ id: image.key }} className={classes.line}>
            <span className={classes.lineText}>
              <span className={`cut ${classes.strong}`}>
                <Line text={image.name} />
              </span>
              <span className={`dim ${classes.lineNote}`}>
                {t("image.running", { count: image.runningContainers })}
              </span>
            </span>
            <span className={classes.lineBar}>
              <SeverityBar counts={image.findings} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
